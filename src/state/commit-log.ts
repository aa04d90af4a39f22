/**
 * Commit log: a ring of rows, one entry a commit, written before anything else knows of the commit.
 *
 * Slots are overwritten, never deleted, since a delete is billed like a write. An entry that is larger than a row takes
 * several, of one LSN, in one transaction.
 */
import { StateError } from "../errors.ts";
import type { LogRow, StateStore } from "./store.ts";
import { MAX_ROW_BYTES } from "./store.ts";

export interface LogEntry {
  readonly lsn: number;
  readonly data: Uint8Array;
}

export class CommitLog {
  /** Rows above the last released LSN, oldest first. */
  #held: { lsn: number; slot: number }[] = [];
  #bytes = 0;
  #nextSlot = 0;

  readonly store: StateStore;
  readonly capacity: number;

  /** @param capacity slots of the ring: `append` must not be called when `roomFor` says no. */
  constructor(store: StateStore, capacity = 512) {
    this.store = store;
    this.capacity = capacity;
  }

  /** Rows that a wake-up would replay. */
  get rows(): number {
    return this.#held.length;
  }

  /** Bytes appended since the last release, about. */
  get bytes(): number {
    return this.#bytes;
  }

  roomFor(data: Uint8Array): boolean {
    return this.#held.length + partsOf(data) <= this.capacity;
  }

  /** Writes one entry. Call it inside the transaction that is the commit. */
  append(lsn: number, data: Uint8Array): void {
    if (!this.roomFor(data)) throw new StateError(`the commit log is full at LSN ${lsn}`);
    const parts = partsOf(data);
    const busy = new Set(this.#held.map((row) => row.slot));
    for (let part = 0; part < parts; part++) {
      while (busy.has(this.#nextSlot)) this.#nextSlot = (this.#nextSlot + 1) % this.capacity;
      const slot = this.#nextSlot;
      this.#nextSlot = (slot + 1) % this.capacity;
      this.store.writeLog({
        slot,
        lsn,
        part,
        parts,
        data: data.subarray(part * MAX_ROW_BYTES, (part + 1) * MAX_ROW_BYTES),
      });
      this.#held.push({ lsn, slot });
    }
    this.#bytes += data.length;
  }

  /** Gives the slots of all entries up to `lsn` back to the ring: a checkpoint has them. */
  release(lsn: number): void {
    const before = this.#held.length;
    this.#held = this.#held.filter((row) => row.lsn > lsn);
    this.#bytes = before === 0 ? 0 : this.#bytes * (this.#held.length / before);
  }

  /**
   * Overwrites what is left in released slots: they are read by nobody, but hold what has been deleted since.
   *
   * @param lsn what a checkpoint has. @returns rows.
   */
  scrub(lsn: number): number {
    return this.store.scrubLog(lsn);
  }

  /**
   * The entries above `lsn`, in order.
   *
   * @throws StateError when one is missing or incomplete: state would be silently wrong without it.
   */
  replay(lsn: number): LogEntry[] {
    const rows = this.store.readLog(lsn);
    this.#held = rows.map((row) => ({ lsn: row.lsn, slot: row.slot }));
    const last = rows.at(-1);
    this.#nextSlot = last === undefined ? 0 : (last.slot + 1) % this.capacity;
    const entries: LogEntry[] = [];
    for (let at = 0; at < rows.length; ) {
      const { parts } = rows[at] as LogRow;
      const group = rows.slice(at, at + parts);
      const expected = lsn + entries.length + 1;
      if (
        group.length !== parts ||
        group.some((row, part) => row.lsn !== expected || row.part !== part || row.parts !== parts)
      ) {
        throw new StateError(
          `the commit log has a gap: expected entry ${expected} whole, found ${describe(group)}`,
        );
      }
      const data = group.length === 1 ? (group[0] as LogRow).data : concatenate(group.map((row) => row.data));
      entries.push({ lsn: expected, data });
      this.#bytes += data.length;
      at += parts;
    }
    return entries;
  }
}

function partsOf(data: Uint8Array): number {
  return Math.max(1, Math.ceil(data.length / MAX_ROW_BYTES));
}

function describe(rows: readonly LogRow[]): string {
  return rows.map((row) => `${row.lsn} (part ${row.part + 1} of ${row.parts})`).join(", ");
}

export function concatenate(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
