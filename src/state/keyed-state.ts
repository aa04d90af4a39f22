/**
 * Keyed state: one accumulator per key, larger than memory.
 *
 * In storage it is pages, each a run of many keys in order, since a row is billed and not its bytes. In memory it is the
 * entries that changed since the last checkpoint, over a bounded cache of pages. A checkpoint freezes the changed
 * entries and moves them into the pages in bounded steps while new changes gather above; until it is finished the
 * commit log still holds everything, and as entries are whole values, replaying them over newer pages is harmless.
 *
 * An entry that is `null` is a tombstone: the key is gone, and a checkpoint takes it out of its page.
 */
import type { MemoryHolder, Page, PageCache } from "./page-cache.ts";
import type { PageInfo, PageSpace, StateStore } from "./store.ts";

/** A page over this many bytes is split. */
const MAX_PAGE_BYTES = 48 * 1024;
/** What the pieces of a split aim at: they have room to grow before they split again. */
const SPLIT_PAGE_BYTES = 24 * 1024;

/** What an entry of a map takes besides its key and a large value, about. */
const ENTRY_BYTES = 100;

let instances = 0;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export interface StateEntry {
  readonly key: string;
  readonly value: unknown;
}

export class KeyedState implements MemoryHolder {
  readonly #store: StateStore;
  readonly #cache: PageCache;
  /** Tells this state's pages from those of other shards in the shared cache. */
  readonly #owner: string;
  readonly #space: PageSpace;
  /** By `first`; the first page's is "". */
  readonly #directory: PageInfo[];
  #nextPageId: number;
  /** Changed since the checkpoint that is under way, or else since the last one. */
  #changed = new Map<string, unknown>();
  /** The keys of changed and frozen entries in order, but for the fresh ones; undefined when nobody has asked. */
  #sorted: readonly string[] | undefined;
  #fresh: string[] = [];
  #changedBytes = 0;
  #frozenBytes = 0;
  /** What the checkpoint that is under way moves into pages, and how far it has come. */
  #frozen: { entries: Map<string, unknown>; keys: readonly string[]; at: number } | undefined;

  /** @param name for the cache; each instance gets a space of its own there, since one that failed may have left pages that were never stored. */
  constructor(store: StateStore, cache: PageCache, name: string, space: PageSpace = "state") {
    this.#store = store;
    this.#cache = cache;
    this.#space = space;
    this.#owner = `${name}#${++instances}`;
    this.#directory = store.listPages(space);
    cache.track(this);
    this.#nextPageId = this.#directory.reduce((next, page) => Math.max(next, Math.abs(page.id) + 1), 1);
  }

  /** Entries that wait for the next checkpoint. */
  get changedKeys(): number {
    return this.#changed.size;
  }

  /** Bytes that changed and frozen entries take, about. */
  get heldBytes(): number {
    return this.#changedBytes + this.#frozenBytes;
  }

  get pages(): number {
    return this.#directory.length;
  }

  /** The value of a key; undefined when it has none. */
  get(key: string): unknown {
    const changed = this.#overlayOf(key);
    if (changed !== undefined) return changed ?? undefined;
    const page = this.#pageFor(key);
    if (page === undefined) return undefined;
    const { keys, values } = this.#load(page);
    const at = lowerBound(keys, key);
    return keys[at] === key ? values[at] : undefined;
  }

  /**
   * The accumulators of many keys, of those that are there. Each page is read at most once, where one key after the
   * other would read a page again and again once the pages do not fit the cache.
   */
  getAll(keys: Iterable<string>): Map<string, unknown> {
    const found = new Map<string, unknown>();
    const byPage = new Map<number, string[]>();
    for (const key of keys) {
      const changed = this.#overlayOf(key);
      if (changed !== undefined) {
        if (changed !== null) found.set(key, changed);
        continue;
      }
      const index = this.#pageIndexFor(key);
      const sharing = byPage.get(index);
      if (sharing === undefined) byPage.set(index, [key]);
      else sharing.push(key);
    }
    for (const [index, sharing] of byPage) {
      const info = this.#directory[index];
      if (info === undefined) continue;
      const page = this.#load(info);
      for (const key of sharing) {
        const at = lowerBound(page.keys, key);
        if (page.keys[at] === key) found.set(key, page.values[at]);
      }
    }
    return found;
  }

  /** Takes over entries that a commit has made durable in the log. */
  put(entries: Iterable<readonly [string, unknown]>): void {
    for (const [key, value] of entries) {
      const before = this.#changed.get(key);
      if (before === undefined && this.#sorted !== undefined && this.#frozen?.entries.has(key) !== true)
        this.#fresh.push(key);
      this.#changedBytes +=
        sizeOf(value) - (before === undefined ? -(ENTRY_BYTES + key.length) : sizeOf(before));
      this.#changed.set(key, value);
    }
  }

  /**
   * Entries in key order, from `after` (exclusive), that start with `prefix`.
   * Lazy: pages are read as far as it is consumed; do not commit while consuming.
   */
  *entries(range: { prefix?: string; after?: string } = {}): IterableIterator<StateEntry> {
    const { prefix = "", after } = range;
    const start = after !== undefined && after > prefix ? after : prefix;
    const inRange = (key: string | undefined) => key?.startsWith(prefix) === true && key !== after;
    const overlay = this.#sortedOverlay();
    let next = lowerBound(overlay, start);
    if (overlay[next] === after) next++;
    for (let index = Math.max(0, this.#pageIndexFor(start)); index < this.#directory.length; index++) {
      const info = this.#directory[index] as PageInfo;
      if (info.first > start && !info.first.startsWith(prefix)) break;
      const { keys, values } = this.#load(info);
      for (let at = lowerBound(keys, start); at < keys.length; at++) {
        const key = keys[at] as string;
        if (!inRange(key)) continue;
        for (; next < overlay.length && (overlay[next] as string) < key; next++)
          yield* this.#overlaid(overlay[next] as string);
        if (overlay[next] === key) {
          yield* this.#overlaid(key);
          next++;
        } else {
          yield { key, value: values[at] };
        }
      }
    }
    for (; next < overlay.length && inRange(overlay[next]); next++)
      yield* this.#overlaid(overlay[next] as string);
  }

  /** Freezes what has changed; `flush` then moves it into pages. Only one checkpoint at a time. */
  freeze(): void {
    if (this.#frozen !== undefined) throw new Error("a checkpoint is under way");
    // The default order of strings, by UTF-16 code units, is the same on every machine, unlike a locale's.
    this.#frozen = { entries: this.#changed, keys: this.#sortedOverlay(), at: 0 };
    this.#changed = new Map();
    this.#frozenBytes = this.#changedBytes;
    this.#changedBytes = 0;
  }

  /**
   * Moves frozen entries into at most `maxPages` pages, in one transaction.
   *
   * @returns true when none are left.
   */
  flush(maxPages: number): boolean {
    const frozen = this.#frozen;
    if (frozen === undefined) return true;
    this.#store.transaction(() => {
      for (let written = 0; written < maxPages && frozen.at < frozen.keys.length; ) {
        written += this.#flushPage(frozen);
      }
    });
    return frozen.at >= frozen.keys.length;
  }

  /** Forgets the frozen entries: the checkpoint that has them in pages is recorded. */
  thaw(): void {
    this.#frozen = undefined;
    this.#sorted = undefined;
    this.#fresh = [];
    this.#frozenBytes = 0;
  }

  /** Rewrites the page that the next frozen key falls into, with all frozen keys of that page. @returns pages written */
  #flushPage(frozen: { entries: Map<string, unknown>; keys: readonly string[]; at: number }): number {
    const first = frozen.keys[frozen.at] as string;
    const index = this.#pageIndexFor(first);
    const info = this.#directory[index];
    const end = this.#directory[index + 1]?.first;
    const old: Page = info === undefined ? { keys: [], values: [] } : this.#load(info);
    const keys: string[] = [];
    const values: unknown[] = [];
    let at = 0;
    for (; frozen.at < frozen.keys.length; frozen.at++) {
      const key = frozen.keys[frozen.at] as string;
      if (end !== undefined && key >= end) break;
      for (; at < old.keys.length && (old.keys[at] as string) < key; at++) {
        keys.push(old.keys[at] as string);
        values.push(old.values[at]);
      }
      if (old.keys[at] === key) at++;
      const value = frozen.entries.get(key);
      if (value === null) continue;
      keys.push(key);
      values.push(value);
    }
    for (; at < old.keys.length; at++) {
      keys.push(old.keys[at] as string);
      values.push(old.values[at]);
    }
    return this.#writePage(index, info, { keys, values });
  }

  #writePage(index: number, info: PageInfo | undefined, page: Page): number {
    if (page.keys.length === 0 && index !== 0) {
      if (info === undefined) return 0;
      // The first page stays, since it is where the smallest keys belong.
      this.#store.deletePage(info.id);
      this.#cache.delete(this.#cacheId(info.id));
      this.#directory.splice(index, 1);
      return 1;
    }
    const pieces = cut(page);
    pieces.forEach((piece, n) => {
      const kept = n === 0;
      const written: PageInfo = {
        id: kept && info !== undefined ? info.id : this.#newPageId(),
        // Not a key that has been taken out: its text would stay in the directory.
        first: kept && index <= 0 ? "" : (piece.page.keys[0] as string),
      };
      this.#store.writePage(written, piece.data);
      this.#cache.set(this.#cacheId(written.id), piece.page, piece.data.length);
      this.#directory.splice(Math.max(index, 0) + n, kept && info !== undefined ? 1 : 0, written);
    });
    return pieces.length;
  }

  /**
   * The keys of changed and frozen entries, in order. Whoever looks for the first timer asks after every commit, so what
   * a commit adds is merged in: to sort tens of thousands of keys each time would take longer than the commit.
   */
  #sortedOverlay(): readonly string[] {
    if (this.#sorted === undefined) {
      this.#sorted = [...new Set([...this.#changed.keys(), ...(this.#frozen?.keys ?? [])])].sort();
    } else if (this.#fresh.length > 0) {
      this.#sorted = merged(this.#sorted, this.#fresh.sort());
      this.#fresh = [];
    }
    return this.#sorted;
  }

  *#overlaid(key: string): IterableIterator<StateEntry> {
    const value = this.#overlayOf(key);
    if (value !== null) yield { key, value };
  }

  /** The newest value that waits for a checkpoint: null when the key was removed, undefined when it has not changed. */
  #overlayOf(key: string): unknown {
    const changed = this.#changed.get(key);
    return changed === undefined ? this.#frozen?.entries.get(key) : changed;
  }

  #newPageId(): number {
    const id = this.#nextPageId++;
    return this.#space === "state" ? id : -id;
  }

  #pageFor(key: string): PageInfo | undefined {
    return this.#directory[this.#pageIndexFor(key)];
  }

  /** The last page whose `first` does not sort after the key; −1 when there are no pages. */
  #pageIndexFor(key: string): number {
    let low = 0;
    let high = this.#directory.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#directory[middle] as PageInfo).first <= key) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  #load(info: PageInfo): Page {
    const id = this.#cacheId(info.id);
    const cached = this.#cache.get(id);
    if (cached !== undefined) return cached;
    const data = this.#store.readPage(info.id);
    if (data === undefined) throw new Error(`state page ${info.id} is missing`);
    const page = decodePage(data);
    this.#cache.set(id, page, data.length);
    return page;
  }

  #cacheId(page: number): string {
    return `${this.#owner}/${page}`;
  }
}

function encodePage(page: Page): Uint8Array {
  return encoder.encode(JSON.stringify([page.keys, page.values]));
}

function decodePage(data: Uint8Array): Page {
  const [keys, values] = JSON.parse(decoder.decode(data)) as [string[], unknown[]];
  return { keys, values };
}

/** A page, or its pieces when it is too large: large values may sit together, so a piece may have to be cut again. */
function cut(page: Page): { page: Page; data: Uint8Array }[] {
  const data = encodePage(page);
  if (data.length <= MAX_PAGE_BYTES || page.keys.length === 1) return [{ page, data }];
  return split(page, Math.max(2, Math.ceil(data.length / SPLIT_PAGE_BYTES))).flatMap(cut);
}

/** Cuts a page into pieces of about as many keys each. */
function split(page: Page, pieces: number): Page[] {
  const size = Math.max(1, Math.ceil(page.keys.length / pieces));
  const cut: Page[] = [];
  for (let at = 0; at < page.keys.length; at += size) {
    cut.push({ keys: page.keys.slice(at, at + size), values: page.values.slice(at, at + size) });
  }
  return cut;
}

/** Two lists in order, without a key in common, as one. */
function merged(a: readonly string[], b: readonly string[]): string[] {
  const all: string[] = [];
  let next = 0;
  for (const key of a) {
    while (next < b.length && (b[next] as string) < key) all.push(b[next++] as string);
    all.push(key);
  }
  while (next < b.length) all.push(b[next++] as string);
  return all;
}

function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] as string) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Objects cost about a word for each of their parts; a rough guess is enough to keep a budget. */
function sizeOf(value: unknown): number {
  if (typeof value === "string") return value.length;
  if (Array.isArray(value)) return value.length * 16;
  return typeof value === "object" && value !== null ? Object.keys(value).length * 32 : 0;
}
