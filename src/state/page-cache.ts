/**
 * PageCache: one byte budget for all shards of an isolate, for decoded pages and for the entries that wait for a
 * checkpoint. Pages give way, least recently used first; when entries take more than half, checkpoints are due.
 */

/** A decoded page: keys in JavaScript string order, and at the same place in the other list their accumulators. */
export interface Page {
  readonly keys: readonly string[];
  readonly values: readonly unknown[];
}

/** A decoded page takes about this many times its encoded bytes (strings and list slots). */
const DECODED_FACTOR = 2;

/** What holds entries in memory that cannot be dropped; a KeyedState is one. */
export interface MemoryHolder {
  /** Bytes, about. */
  readonly heldBytes: number;
}

export class PageCache {
  /** Weak, since an object that the platform evicts says no goodbye. */
  readonly #holders = new Set<WeakRef<MemoryHolder>>();
  readonly #pages = new Map<string, { page: Page; bytes: number }>();
  #bytes = 0;

  readonly maxBytes: number;

  constructor(maxBytes = 48 * 1024 * 1024) {
    this.maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Counts what `holder` holds against the budget, for as long as it lives. */
  track(holder: MemoryHolder): void {
    this.#holders.add(new WeakRef(holder));
  }

  /** True when entries that wait for a checkpoint take more than half of the budget. */
  get crowded(): boolean {
    return this.#heldBytes() > this.maxBytes / 2;
  }

  get(id: string): Page | undefined {
    const entry = this.#pages.get(id);
    if (entry === undefined) return undefined;
    this.#pages.delete(id);
    this.#pages.set(id, entry);
    return entry.page;
  }

  set(id: string, page: Page, encodedBytes: number): void {
    this.delete(id);
    const bytes = encodedBytes * DECODED_FACTOR;
    this.#pages.set(id, { page, bytes });
    this.#bytes += bytes;
    const room = this.maxBytes - Math.min(this.#heldBytes(), this.maxBytes / 2);
    for (const oldest of this.#pages.keys()) {
      if (this.#bytes <= room || oldest === id) break;
      this.delete(oldest);
    }
  }

  delete(id: string): void {
    const entry = this.#pages.get(id);
    if (entry === undefined) return;
    this.#bytes -= entry.bytes;
    this.#pages.delete(id);
  }

  #heldBytes(): number {
    let bytes = 0;
    for (const reference of this.#holders) {
      const holder = reference.deref();
      if (holder === undefined) this.#holders.delete(reference);
      else bytes += holder.heldBytes;
    }
    return bytes;
  }
}
