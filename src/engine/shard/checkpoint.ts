/** Checkpoint record: what one row (or several of one transaction) says about a shard up to an LSN. */
import { StateError } from "../../errors.ts";
import { AppliedSegments } from "../../state/applied-segments.ts";
import { ByteReader, ByteWriter } from "../../state/bytes.ts";
import { concatenate } from "../../state/commit-log.ts";
import type { StateStore } from "../../state/store.ts";
import { MAX_ROW_BYTES } from "../../state/store.ts";

/** What earlier code would not read: since 2 there may be values beside pages, since 3 neither they nor pages are JSON. */
const FORMAT = 3;
const FORMATS: readonly number[] = [1, 2, FORMAT];
/** The first row also says how many there are. */
const PART_BYTES = MAX_ROW_BYTES - 8;

export interface Checkpoint {
  /** The state pages hold every commit up to this LSN. */
  readonly lsn: number;
  /** JSON: counters and the top index. */
  readonly header: unknown;
  readonly applied: AppliedSegments;
}

/** Writes the record; call it inside the transaction that makes it the newest. */
export function writeCheckpoint(store: StateStore, checkpoint: Checkpoint): void {
  const applied = checkpoint.applied.encode();
  const head = new ByteWriter();
  head.varint(FORMAT);
  head.varint(checkpoint.lsn);
  head.string(JSON.stringify(checkpoint.header));
  head.varint(applied.length);
  const body = concatenate([head.finish(), applied]);
  const parts = Math.max(1, Math.ceil(body.length / PART_BYTES));
  const count = new ByteWriter();
  count.varint(parts);
  for (let part = 0; part < parts; part++) {
    const piece = body.subarray(part * PART_BYTES, (part + 1) * PART_BYTES);
    store.writeMeta(rowName(part), part === 0 ? concatenate([count.finish(), piece]) : piece);
  }
}

/** The newest record, or undefined before the first. @throws StateError when it is of an unknown format. */
export function readCheckpoint(store: StateStore, maxAppliedBytes?: number): Checkpoint | undefined {
  const first = store.readMeta(rowName(0));
  if (first === undefined) return undefined;
  const pieces = [first];
  for (let parts = new ByteReader(first).varint(), part = 1; part < parts; part++) {
    const piece = store.readMeta(rowName(part));
    if (piece === undefined)
      throw new StateError(`part ${part + 1} of ${parts} of the checkpoint is missing`);
    pieces.push(piece);
  }
  const body = concatenate(pieces);
  const reader = new ByteReader(body);
  reader.varint();
  const format = reader.varint();
  if (!FORMATS.includes(format))
    throw new StateError(`a checkpoint of format ${format}; this code knows ${FORMATS.join(", ")}`);
  const lsn = reader.varint();
  const header: unknown = JSON.parse(reader.string());
  const length = reader.varint();
  return {
    lsn,
    header,
    applied: AppliedSegments.decode(body.subarray(body.length - length), maxAppliedBytes),
  };
}

/** Empties the rows that a longer record has left behind the newest one. @returns rows. */
export function scrubCheckpoint(store: StateStore): number {
  const first = store.readMeta(rowName(0));
  if (first === undefined) return 0;
  let scrubbed = 0;
  for (let part = new ByteReader(first).varint(); ; part++) {
    const left = store.readMeta(rowName(part));
    if (left === undefined) return scrubbed;
    if (left.length === 0) continue;
    store.writeMeta(rowName(part), new Uint8Array());
    scrubbed++;
  }
}

function rowName(part: number): string {
  return part === 0 ? "checkpoint" : `checkpoint/${part}`;
}
