/**
 * PageCache: one byte budget for all shards of an isolate: for decoded pages, for the entries that wait for a checkpoint,
 * and for pages with values that wait for one. Pages as they are stored give way, least recently used first; the others
 * cannot, so when they take too much, checkpoints are due.
 */
import type { Page } from "./page.ts";

/** What holds in memory what cannot be dropped before a checkpoint; a KeyedState is one. Bytes, about. */
export interface MemoryHolder {
  /** In entries beside the pages. */
  readonly heldBytes: number;
  /** In pages whose values have changed. */
  readonly pinnedBytes: number;
  /** What all of its pages take when they are in memory, of those that were there once. */
  readonly pageBytes: number;
}

export class PageCache {
  /** By name. Weak, since an object that the platform evicts says no goodbye. */
  readonly #holders = new Map<string, WeakRef<MemoryHolder>>();
  readonly #pages = new Map<string, { page: Page; bytes: number }>();
  #bytes = 0;

  readonly maxBytes: number;

  /**
   * The default holds 1.2 million keys of twenty characters with a count each; with what else is alive, it leaves a third of
   * an isolate's 128 MB to what one commit leaves behind. State beyond it is read from storage again and again.
   */
  constructor(maxBytes = 56 * 1024 * 1024) {
    this.maxBytes = maxBytes;
  }

  /** In pages that can be dropped. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Counts what `holder` holds against the budget, for as long as it lives, and no more what another one of its name did: that is
   * the same object before it was evicted, which nobody will ask again, however long its memory takes to be collected.
   */
  track(name: string, holder: MemoryHolder): void {
    this.#holders.set(name, new WeakRef(holder));
    for (const id of this.#pages.keys()) if (id.startsWith(`${name}#`)) this.delete(id);
  }

  /**
   * True when what waits for a checkpoint takes all of the budget, or its entries more than half of it, or when it is they who
   * keep pages out that would all fit: then each commit would read again what the one before has dropped.
   */
  get crowded(): boolean {
    const { entries, pinned, pages } = this.#held();
    if (entries > this.maxBytes / 2 || entries + pinned > this.maxBytes) return true;
    return pages <= this.#mostPinned && pages + entries > this.maxBytes;
  }

  /** Whether so many bytes more of pages may wait for a checkpoint. */
  mayPin(bytes: number): boolean {
    const { entries, pinned } = this.#held();
    return entries + pinned + bytes <= this.#mostPinned;
  }

  /** @param id of a page: its holder's name, `#`, and what tells it from the others. */
  get(id: string): Page | undefined {
    const entry = this.#pages.get(id);
    if (entry === undefined) return undefined;
    this.#pages.delete(id);
    this.#pages.set(id, entry);
    return entry.page;
  }

  set(id: string, page: Page, bytes: number): void {
    this.delete(id);
    this.#pages.set(id, { page, bytes });
    this.#bytes += bytes;
    const { entries, pinned } = this.#held();
    // However many entries there are, half of the budget is for pages, of either sort.
    const forPages = this.maxBytes - Math.min(entries, this.maxBytes / 2);
    const room = Math.max(forPages - pinned, this.maxBytes / 8);
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

  /** An eighth of the budget is left to those who wait for nothing. */
  get #mostPinned(): number {
    return (this.maxBytes / 8) * 7;
  }

  #held(): { entries: number; pinned: number; pages: number } {
    let entries = 0;
    let pinned = 0;
    let pages = 0;
    for (const [name, reference] of this.#holders) {
      const holder = reference.deref();
      if (holder === undefined) {
        this.#holders.delete(name);
        continue;
      }
      entries += holder.heldBytes;
      pinned += holder.pinnedBytes;
      pages += holder.pageBytes;
    }
    return { entries, pinned, pages };
  }
}
