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
import { KeyIndex } from "./key-index.ts";
import { hashOf } from "./key-map.ts";
import { standingAlone } from "./key-text.ts";
import type { Waiting } from "./overlay.ts";
import { Overlay, sizeOf } from "./overlay.ts";
import { PackedKeys } from "./packed-keys.ts";
import { Page } from "./page.ts";
import type { MemoryHolder, PageCache } from "./page-cache.ts";
import type { Place } from "./page-directory.ts";
import { PageDirectory } from "./page-directory.ts";
import type { PageEdit } from "./page-rewriting.ts";
import { cut, edited } from "./page-rewriting.ts";
import type { PageInfo, PageSpace, StateStore } from "./store.ts";

/** Keys that room is made for at once: most of a great many may be the same few. */
const MAX_EXPECTED = 16_384;

/** Keys that are looked for together, and pages that may be read from storage for them: those are held until they are found. */
const GROUP_KEYS = 1_024;
const GROUP_READS = 16;

let instances = 0;

/** Where in their pages the keys of a group are: reused. */
const found = new Int32Array(GROUP_KEYS);
const known = new Int32Array(GROUP_KEYS);

export interface StateEntry {
  readonly key: string;
  readonly value: unknown;
}

/** `key, value` in turns; the value null takes the key away. */
export type Changes = readonly unknown[];

export class KeyedState implements MemoryHolder {
  readonly #store: StateStore;
  readonly #cache: PageCache;
  /** Tells this state's pages from those of other shards in the shared cache. */
  readonly #owner: string;
  readonly #space: PageSpace;
  readonly #directory: PageDirectory;
  #nextPageId: number;
  readonly #overlay = new Overlay();
  #pinnedBytes = 0;
  #pageBytes = 0;
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
    const pages = store.listPages(space);
    this.#directory = new PageDirectory(pages.map((info) => this.#placeOf(info)));
    cache.track(this);
    this.#nextPageId = pages.reduce((next, page) => Math.max(next, Math.abs(page.id) + 1), 1);
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

  /** Bytes that all pages would take in memory, about, but for those that have not been read yet. */
  get pageBytes(): number {
    return this.#pageBytes;
  }

  get pages(): number {
    return this.#directory.length;
  }

  /** The value of a key; undefined when it has none. */
  get(key: string): unknown {
    const waiting = this.#overlay.get(key);
    if (waiting !== undefined) return waiting ?? undefined;
    const place = this.#directory.placeFor(key);
    if (place === undefined) return undefined;
    const page = this.#load(place);
    const at = page.keys.at(key, hashOf(key));
    return at < 0 ? undefined : page.get(at);
  }

  /**
   * Reads many keys, for a commit. Each page is read at most once, where one key after the other would read a page again
   * and again once the pages do not fit the cache.
   */
  read(keys: readonly string[]): Cells {
    const cells = new Cells(Math.min(keys.length, MAX_EXPECTED));
    const wanted: Cell[] = [];
    for (const key of keys) {
      const cell = cells.add(key);
      if (cell === undefined) continue;
      const waiting = this.#overlay.get(key, cell.hash);
      if (waiting === undefined) {
        wanted.push(cell);
      } else {
        cell.before = waiting ?? undefined;
        cell.beside = true;
      }
    }
    if (this.#directory.length > 0) this.#readFromPages(wanted);
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
    for (const cell of cells) {
      const { key, hash, after, beside } = cell;
      if (beside) this.#overlay.set(key, after, hash);
      else if (after !== null && this.#putWhereRead(cell)) continue;
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
    for (let index = Math.max(0, this.#directory.indexFor(start)); index < this.#directory.length; index++) {
      const place = this.#directory.at(index) as Place;
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
    return this.#due.size === 0 && (frozen === undefined || frozen.at >= frozen.sorted.length);
  }

  /** Looks for keys in the pages that they belong to, as many at once as may be: see KeyIndex. */
  #readFromPages(wanted: readonly Cell[]): void {
    const { keys: cells, places } = this.#directory.byPlace(wanted);
    for (let at = 0; at < cells.length; ) {
      const sought: Cell[] = [];
      const pages: Page[] = [];
      const indexes: KeyIndex[] = [];
      let place: Place | undefined;
      let page: Page | undefined;
      let reads = 0;
      for (; at < cells.length && sought.length < GROUP_KEYS && reads < GROUP_READS; at++) {
        const cell = cells[at] as Cell;
        const its = this.#directory.at(places[at] as number) as Place;
        if (page === undefined || its !== place) {
          place = its;
          page = this.#held(place);
          if (page === undefined) {
            page = this.#fetch(place);
            reads++;
          }
        }
        cell.place = place;
        cell.page = page.serial;
        const index = page.keys.index();
        if (index === undefined) {
          find(cell, page, page.keys.find(cell.key));
          continue;
        }
        known[sought.length] = place.shared;
        sought.push(cell);
        pages.push(page);
        indexes.push(index);
      }
      KeyIndex.locate(indexes, sought, known, found);
      for (let n = 0; n < sought.length; n++) find(sought[n] as Cell, pages[n] as Page, found[n] as number);
    }
  }

  #put(key: string, value: unknown, hash = hashOf(key)): void {
    // What waits above its page stays there: it is what counts.
    if (value === null || this.#overlay.get(key, hash) !== undefined || !this.#putInPage(key, value, hash))
      this.#overlay.set(key, value, hash);
  }

  /** Changes a value in its page. @returns false when that page is not in memory, has no such key, or may not stay. */
  #putInPage(key: string, value: unknown, hash: number): boolean {
    const place = this.#directory.placeFor(key);
    if (place === undefined) return false;
    const page = this.#held(place);
    if (page === undefined) return false;
    const at = page.keys.at(key, hash);
    if (at < 0) return false;
    return this.#change(place, page, at, value);
  }

  /** The same where a commit has found it. @returns false also when it may not be there any more. */
  #putWhereRead({ place, page: serial, at, after }: Cell): boolean {
    if (place === undefined) return false;
    const page = this.#held(place);
    return page?.serial === serial && this.#change(place, page, at, after);
  }

  #change(place: Place, page: Page, at: number, value: unknown): boolean {
    if (place.changed === undefined && !this.#pin(place, page)) return false;
    const more = sizeOf(value) - sizeOf(page.get(at));
    this.#pinnedBytes += more;
    if (page.change(at, value, more)) this.#changesInPages++;
    return true;
  }

  /** A page stays in memory until it is written. @returns false when it may not. */
  #pin(place: Place, page: Page): boolean {
    if (!this.#cache.mayPin(page.bytes)) return false;
    this.#cache.delete(place.cached);
    place.changed = page;
    this.#pinnedBytes += page.bytes;
    this.#pinnedPages++;
    return true;
  }

  /** Rewrites the next page that a frozen key falls into, or whose values have changed, with all of that. @returns pages written */
  #flushPage(): number {
    const { frozen } = this.#overlay;
    const key = frozen?.sorted[frozen.at]?.key;
    const [due] = this.#due;
    const ofDue = due === undefined ? Number.POSITIVE_INFINITY : this.#directory.indexFor(due.first);
    const index = key === undefined ? ofDue : Math.min(ofDue, this.#directory.indexFor(key));
    const place = this.#directory.at(index);
    const page = place === undefined ? new Page(PackedKeys.of([]), []) : this.#load(place);
    const end = this.#directory.at(index + 1)?.first;
    const edits: PageEdit[] = [];
    for (; frozen !== undefined && frozen.at < frozen.sorted.length; frozen.at++) {
      const { key, hash, value } = frozen.sorted[frozen.at] as Waiting;
      if (end !== undefined && key >= end) break;
      const at = page.keys.find(key);
      if (at < 0) {
        if (value !== null) edits.push({ at: ~at, key, hash, value });
      } else if (value === null) {
        edits.push({ at, key: undefined, hash, value });
      } else {
        page.set(at, value);
      }
    }
    if (edits.length > 0) return this.#writePage(index, place, edited(page, edits));
    return this.#writeValues(place, page) ? 1 : this.#writePage(index, place, page);
  }

  /** Writes the values of a page whose keys are stored as they are. @returns false when it is better written whole. */
  #writeValues(place: Place | undefined, page: Page): boolean {
    if (place === undefined) return false;
    this.#unpin(place);
    const values = page.encodeValues();
    if (values === undefined) return false;
    this.#store.writeValues(place.id, values);
    this.#keep(place, page);
    return true;
  }

  #writePage(index: number, place: Place | undefined, page: Page): number {
    if (place !== undefined) this.#unpin(place);
    if (page.keys.length === 0 && index !== 0) {
      if (place === undefined) return 0;
      // The first page stays, since it is where the smallest keys belong.
      this.#store.deletePage(place.id);
      this.#cache.delete(place.cached);
      this.#pageBytes -= place.bytes;
      this.#directory.remove(index);
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
      this.#keep(written, piece.page);
      if (written === place) return;
      const instead = kept && place !== undefined;
      if (instead) this.#pageBytes -= place.bytes;
      this.#directory.put(Math.max(index, 0) + n, written, instead ? 1 : 0);
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
      bytes: 0,
      shared: 0,
    };
  }

  #load(place: Place): Page {
    return this.#held(place) ?? this.#fetch(place);
  }

  /** A page that is in memory. */
  #held(place: Place): Page | undefined {
    return place.changed ?? this.#cache.get(place.cached);
  }

  #fetch(place: Place): Page {
    const data = this.#store.readPage(place.id);
    if (data === undefined) throw new Error(`state page ${place.id} is missing`);
    const page = Page.decode(data, this.#store.readValues(place.id));
    this.#keep(place, page);
    return page;
  }

  /** A page is in memory as it is stored. */
  #keep(place: Place, page: Page): void {
    this.#pageBytes += page.bytes - place.bytes;
    place.bytes = page.bytes;
    this.#cache.set(place.cached, page, page.bytes);
  }
}

/** A key was looked for in its page. @param at where it is there, negative when it is not. */
function find(cell: Cell, page: Page, at: number): void {
  if (at < 0) {
    cell.beside = true;
    return;
  }
  cell.before = page.get(at);
  cell.at = at;
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
