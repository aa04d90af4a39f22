/** ShardUsage: what a shard has used since its last commit, as it is to be added to the counters of the next one. */
import type { StateStore } from "../../state/store.ts";
import type { Usage, Usages } from "../usage.ts";
import { addUsage, addUsages } from "../usage.ts";
import type { ShardCounters } from "./counters.ts";

export class ShardUsage {
  readonly #part: string;
  readonly #store: Pick<StateStore, "rowsWritten" | "rowsRead">;
  #open: Usages = {};
  /** Rows of the store that are in the counters. */
  #written: number;
  /** What the shard reads to wake up counts. */
  #read = 0;

  /** @param operator the shard's. */
  constructor(operator: string, store: Pick<StateStore, "rowsWritten" | "rowsRead">) {
    this.#part = operator;
    this.#store = store;
    this.#written = store.rowsWritten;
  }

  /** The shard itself has used something besides rows of its store. */
  add(usage: Readonly<Usage>): void {
    addUsage(this.#open, this.#part, usage);
  }

  /** What a call has brought. */
  take(used: Readonly<Usages> | undefined): void {
    if (used !== undefined) addUsages(this.#open, used);
  }

  /**
   * Puts all of it into counters that are about to be written. @param rows that this will write: were they left to the next
   * commit, an object that sleeps between any two of them would never count one.
   */
  settle(counters: ShardCounters, rows: number): void {
    this.addTo(counters, rows);
    this.#open = {};
    this.#written = Math.max(this.#written, this.#store.rowsWritten) + rows;
    this.#read = this.#store.rowsRead;
  }

  /** Puts all of it into a copy of counters, which is not the last that is heard of it. */
  addTo(counters: ShardCounters, rows: number): void {
    const { rowsWritten, rowsRead } = this.#store;
    counters.used ??= {};
    addUsages(counters.used, this.#open);
    addUsage(counters.used, this.#part, {
      written: Math.max(0, rowsWritten - this.#written) + rows,
      read: rowsRead - this.#read,
    });
  }
}
