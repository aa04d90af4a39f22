/**
 * Keyed state: one accumulator per key, larger than memory.
 *
 * In storage it is pages, each a run of many keys in order, since a row is billed and not its bytes. In memory it is
 * what changed since the last checkpoint and a bounded cache of pages. A new value of a key whose page is in memory
 * changes that page, which then stays until it is written; anything else waits in an overlay. A checkpoint writes what
 * had changed when it began, in bounded steps, while new changes gather; until it is finished the commit log still
 * holds everything, and as entries are whole values, replaying them over newer pages is harmless.
 *
 * An entry that is `null` is a tombstone: the key is gone, and a checkpoint takes it out of its page.
 */
import type { Cell } from "./cells.ts";
import { Cells } from "./cells.ts";
import { hashOf } from "./key-map.ts";
import { Overlay, sizeOf } from "./overlay.ts";
import { commonStart, PackedKeys } from "./packed-keys.ts";
import { Page } from "./page.ts";
import type { MemoryHolder, PageCache } from "./page-cache.ts";
import { cut, mergedInto } from "./page-rewriting.ts";
import type { PageInfo, PageSpace, StateStore } from "./store.ts";

/** Keys that room is made for at once: most of a great many may be the same few. */
const MAX_EXPECTED = 16_384;

let instances = 0;

/** Where the keys that a page was asked for are in it: reused, since a commit asks hundreds of pages. */
let found = new Int32Array(256);

export interface StateEntry {
  readonly key: string;
  readonly value: unknown;
}

/** `key, value` in turns; the value null takes the key away. */
export type Changes = readonly unknown[];

/** A page's place in the directory. */
interface Place extends PageInfo {
  /** Its name in the cache, which has it as it is stored. */
  readonly cached: string;
  /** The page itself while it holds what waits for a checkpoint. */
  changed: Page | undefined;
  /** How many characters all keys that fall into it begin with in common, at least: what is between two keys has what both have. */
  shared: number;
  /** What is being read from it. */
  asked: Cell[];
}

export class KeyedState implements MemoryHolder {
  readonly #store: StateStore;
  readonly #cache: PageCache;
  /** Tells this state's pages from those of other shards in the shared cache. */
  readonly #owner: string;
  readonly #space: PageSpace;
  /** By `first`; the first page's is "". */
  readonly #directory: Place[];
  /** What the directory is searched by; undefined when it has changed since. */
  #firsts: PackedKeys | undefined;
  #nextPageId: number;
  readonly #overlay = new Overlay();
  #pinnedBytes = 0;
  #pinnedPages = 0;
  /** Values in pages that wait for the next checkpoint, or the one that is under way. */
  #changesInPages = 0;
  /** The changed pages that the checkpoint that is under way has still to write, in order. */
  readonly #due = new Set<Place>();

  /** @param name for the cache; each instance gets a space of its own there, since one that failed may have left pages that were never stored. */
  constructor(store: StateStore, cache: PageCache, name: string, space: PageSpace = "state") {
    this.#store = store;
    this.#cache = cache;
    this.#space = space;
    this.#owner = `${name}#${++instances}`;
    this.#directory = store.listPages(space).map((info) => this.#placeOf(info));
    cache.track(this);
    this.#nextPageId = this.#directory.reduce((next, page) => Math.max(next, Math.abs(page.id) + 1), 1);
  }

  /** Values that wait for the next checkpoint. */
  get changedKeys(): number {
    return this.keysBeside + this.#changesInPages;
  }

  /** Those of them that are not in pages. */
  get keysBeside(): number {
    return this.#overlay.changes;
  }

  /** Pages that the next checkpoint would write, about. */
  get changedPages(): number {
    return Math.min(this.#directory.length + 1, this.#pinnedPages + this.keysBeside);
  }

  /** Bytes that entries beside the pages take, about. */
  get heldBytes(): number {
    return this.#overlay.bytes;
  }

  /** Bytes that pages with changed values take, about. */
  get pinnedBytes(): number {
    return this.#pinnedBytes;
  }

  get pages(): number {
    return this.#directory.length;
  }

  /** The value of a key; undefined when it has none. */
  get(key: string): unknown {
    const waiting = this.#overlay.get(key);
    if (waiting !== undefined) return waiting ?? undefined;
    const place = this.#placeFor(key);
    if (place === undefined) return undefined;
    const page = this.#load(place);
    const at = page.keys.at(key, hashOf(key));
    return at < 0 ? undefined : page.get(at);
  }

  /**
   * Reads many keys, for a commit. Each page is read at most once, where one key after the other would read a page again
   * and again once the pages do not fit the cache; and page by page, since memory that was just looked at is near.
   */
  read(keys: readonly string[]): Cells {
    const cells = new Cells(Math.min(keys.length, MAX_EXPECTED));
    const places: Place[] = [];
    for (const key of keys) {
      const cell = cells.add(key);
      if (cell === undefined) continue;
      const waiting = this.#overlay.get(key, cell.hash);
      if (waiting !== undefined) {
        cell.before = waiting ?? undefined;
        cell.beside = true;
        continue;
      }
      const place = this.#placeFor(key);
      if (place === undefined) continue;
      if (place.asked.length === 0) places.push(place);
      place.asked.push(cell);
    }
    for (const place of places) {
      const page = this.#load(place);
      const { asked } = place;
      if (found.length < asked.length) found = new Int32Array(asked.length * 2);
      page.keys.locate(asked, place.shared, found);
      for (let n = 0; n < asked.length; n++) {
        const cell = asked[n] as Cell;
        const at = found[n] as number;
        if (at < 0) {
          cell.beside = true;
          continue;
        }
        cell.before = page.get(at);
        cell.page = page;
        cell.at = at;
      }
      place.asked = [];
    }
    return cells;
  }

  /** Takes over changes that a commit has made durable in the log. */
  put(changes: Changes): void {
    for (let at = 0; at < changes.length; at += 2) this.#put(changes[at] as string, changes[at + 1]);
  }

  /** What is read of the keys of changes, with their new values. */
  cellsOf(changes: Changes): readonly Cell[] {
    const keys: string[] = [];
    for (let at = 0; at < changes.length; at += 2) keys.push(changes[at] as string);
    const cells = this.read(keys);
    for (let n = 0; n < keys.length; n++) (cells.get(keys[n] as string) as Cell).after = changes[n * 2 + 1];
    return cells.list;
  }

  /** The same of cells that have a new value, which may have been read before. */
  putCells(cells: readonly Cell[]): void {
    for (const { key, hash, after, page, at, beside } of cells) {
      // Only what is read from a page has one; while that is pinned, it is what counts, and the key is where it was.
      if (page?.pinned === true && after !== null) this.#change(page, at, after);
      else if (beside) this.#overlay.set(key, after, hash);
      else this.#put(key, after, hash);
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
    const overlay = this.#overlay.keys();
    let next = lowerBound(overlay, start);
    if (overlay[next] === after) next++;
    for (let index = Math.max(0, this.#indexFor(start)); index < this.#directory.length; index++) {
      const place = this.#directory[index] as Place;
      if (place.first > start && !place.first.startsWith(prefix)) break;
      const page = this.#load(place);
      const { keys } = page;
      const from = place.first >= start ? 0 : keys.find(start);
      for (let at = from < 0 ? ~from : from; at < keys.length; at++) {
        const key = keys.get(at);
        if (!inRange(key)) continue;
        for (; next < overlay.length && (overlay[next] as string) < key; next++)
          yield* this.#overlaid(overlay[next] as string);
        if (overlay[next] === key) {
          yield* this.#overlaid(key);
          next++;
        } else {
          yield { key, value: page.get(at) };
        }
      }
    }
    for (; next < overlay.length && inRange(overlay[next]); next++)
      yield* this.#overlaid(overlay[next] as string);
  }

  /** Freezes what has changed; `flush` then moves it into pages. Only one checkpoint at a time. */
  freeze(): void {
    this.#overlay.freeze();
    for (const place of this.#directory) if (place.changed !== undefined) this.#due.add(place);
  }

  /**
   * Writes at most `maxPages` pages (or one more where the last one splits) of what was frozen, in one transaction.
   *
   * @returns true when none are left.
   */
  flush(maxPages: number): boolean {
    if (this.#flushed) return true;
    this.#store.transaction(() => {
      for (let written = 0; written < maxPages && !this.#flushed; ) written += this.#flushPage();
    });
    return this.#flushed;
  }

  /** Forgets the frozen entries: the checkpoint that has them in pages is recorded. */
  thaw(): void {
    this.#overlay.thaw();
  }

  get #flushed(): boolean {
    const { frozen } = this.#overlay;
    return this.#due.size === 0 && (frozen === undefined || frozen.at >= frozen.keys.length);
  }

  #put(key: string, value: unknown, hash = hashOf(key)): void {
    // What waits above its page stays there: it is what counts.
    if (value === null || this.#overlay.get(key, hash) !== undefined || !this.#putInPage(key, value, hash))
      this.#overlay.set(key, value, hash);
  }

  /** Changes a value in its page. @returns false when that page is not in memory, has no such key, or may not stay. */
  #putInPage(key: string, value: unknown, hash: number): boolean {
    const place = this.#placeFor(key);
    if (place === undefined) return false;
    const page = place.changed ?? this.#cache.get(place.cached);
    if (page === undefined) return false;
    const at = page.keys.at(key, hash);
    if (at < 0) return false;
    if (place.changed === undefined) {
      if (!this.#cache.mayPin(page.bytes)) return false;
      this.#cache.delete(place.cached);
      place.changed = page;
      page.pinned = true;
      this.#pinnedBytes += page.bytes;
      this.#pinnedPages++;
    }
    this.#change(page, at, value);
    return true;
  }

  #change(page: Page, at: number, value: unknown): void {
    const more = sizeOf(value) - sizeOf(page.get(at));
    this.#pinnedBytes += more;
    if (page.change(at, value, more)) this.#changesInPages++;
  }

  /** Rewrites the next page that a frozen key falls into, or whose values have changed, with all of that. @returns pages written */
  #flushPage(): number {
    const { frozen } = this.#overlay;
    const key = frozen?.keys[frozen.at];
    const [due] = this.#due;
    const ofDue = due === undefined ? Number.POSITIVE_INFINITY : this.#indexFor(due.first);
    const index = key === undefined ? ofDue : Math.min(ofDue, this.#indexFor(key));
    const place = this.#directory[index];
    const page = place === undefined ? new Page(new PackedKeys([]), []) : this.#load(place);
    const end = this.#directory[index + 1]?.first;
    /** Of the frozen keys, those that the page does not have and those that go. */
    const others: string[] = [];
    for (; frozen !== undefined && frozen.at < frozen.keys.length; frozen.at++) {
      const next = frozen.keys[frozen.at] as string;
      if (end !== undefined && next >= end) break;
      const hash = hashOf(next);
      const value = frozen.entries.find(next, hash)?.value;
      const at = page.keys.at(next, hash);
      if (at >= 0 && value !== null) page.set(at, value);
      else others.push(next);
    }
    if (frozen !== undefined && others.length > 0)
      return this.#writePage(index, place, mergedInto(page, others, frozen.entries));
    return this.#writeValues(place, page) ? 1 : this.#writePage(index, place, page);
  }

  /** Writes the values of a page whose keys are stored as they are. @returns false when it is better written whole. */
  #writeValues(place: Place | undefined, page: Page): boolean {
    if (place === undefined) return false;
    this.#unpin(place);
    const values = page.encodeValues();
    if (values === undefined) return false;
    this.#store.writeValues(place.id, values);
    this.#cache.set(place.cached, page, page.bytes);
    return true;
  }

  #writePage(index: number, place: Place | undefined, page: Page): number {
    if (place !== undefined) this.#unpin(place);
    if (page.keys.length === 0 && index !== 0) {
      if (place === undefined) return 0;
      // The first page stays, since it is where the smallest keys belong.
      this.#store.deletePage(place.id);
      this.#cache.delete(place.cached);
      this.#directory.splice(index, 1);
      this.#firsts = undefined;
      return 1;
    }
    const pieces = cut(page);
    pieces.forEach((piece, n) => {
      const kept = n === 0;
      const id = kept && place !== undefined ? place.id : this.#newPageId();
      // Not a key that has been taken out: its text would stay in the directory.
      const first = kept && index <= 0 ? "" : piece.page.keys.get(0);
      const written = kept && place?.first === first ? place : this.#placeOf({ id, first });
      this.#store.writePage({ id, first }, piece.data);
      this.#cache.set(written.cached, piece.page, piece.page.bytes);
      if (written === place) return;
      this.#directory.splice(Math.max(index, 0) + n, kept && place !== undefined ? 1 : 0, written);
      this.#firsts = undefined;
    });
    return pieces.length;
  }

  /** A page is written: it need not stay any more. */
  #unpin(place: Place): void {
    const page = place.changed;
    if (page === undefined) return;
    this.#pinnedBytes -= page.bytes;
    this.#pinnedPages--;
    this.#changesInPages -= page.changes;
    page.written();
    page.pinned = false;
    place.changed = undefined;
    this.#due.delete(place);
  }

  *#overlaid(key: string): IterableIterator<StateEntry> {
    const value = this.#overlay.get(key);
    if (value !== null) yield { key, value };
  }

  #newPageId(): number {
    const id = this.#nextPageId++;
    return this.#space === "state" ? id : -id;
  }

  #placeOf({ id, first }: PageInfo): Place {
    return {
      id,
      first: standingAlone(first),
      cached: `${this.#owner}/${id}`,
      changed: undefined,
      shared: 0,
      asked: [],
    };
  }

  #placeFor(key: string): Place | undefined {
    return this.#directory[this.#indexFor(key)];
  }

  /** The last page whose `first` does not sort after the key; −1 when there are no pages. */
  #indexFor(key: string): number {
    if (this.#directory.length === 0) return -1;
    this.#firsts ??= this.#searchable();
    const at = this.#firsts.find(key);
    return at < 0 ? ~at : at + 1;
  }

  /** What the directory is searched by: without the first page, whose `first` has nothing in common with the others. */
  #searchable(): PackedKeys {
    const firsts: string[] = [];
    let before: Place | undefined;
    for (const place of this.#directory) {
      if (before !== undefined) {
        firsts.push(place.first);
        before.shared = commonStart(before.first, place.first);
      }
      before = place;
    }
    if (before !== undefined) before.shared = 0;
    return new PackedKeys(firsts);
  }

  #load(place: Place): Page {
    const held = place.changed ?? this.#cache.get(place.cached);
    if (held !== undefined) return held;
    const data = this.#store.readPage(place.id);
    if (data === undefined) throw new Error(`state page ${place.id} is missing`);
    const page = Page.decode(data, this.#store.readValues(place.id));
    this.#cache.set(place.cached, page, page.bytes);
    return page;
  }
}

/** The same text, where it was cut out of a large one, which would stay in memory with it. */
function standingAlone(text: string): string {
  return ` ${text}`.slice(1);
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
