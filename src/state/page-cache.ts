/** PageCache: decoded pages under one byte budget, shared by all shards of an isolate; least recently used go first. */

/** A decoded page: keys in JavaScript string order, and at the same place in the other list their accumulators. */
export interface Page {
  readonly keys: readonly string[];
  readonly values: readonly unknown[];
}

/** A decoded page takes about this many times its encoded bytes (strings and list slots). */
const DECODED_FACTOR = 3;

export class PageCache {
  readonly #pages = new Map<string, { page: Page; bytes: number }>();
  #bytes = 0;

  readonly maxBytes: number;

  constructor(maxBytes = 32 * 1024 * 1024) {
    this.maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
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
    for (const oldest of this.#pages.keys()) {
      if (this.#bytes <= this.maxBytes || oldest === id) break;
      this.delete(oldest);
    }
  }

  delete(id: string): void {
    const entry = this.#pages.get(id);
    if (entry === undefined) return;
    this.#bytes -= entry.bytes;
    this.#pages.delete(id);
  }
}
