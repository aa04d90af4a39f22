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
import type { Waiting } from "./overlay.ts";
import { Overlay } from "./overlay.ts";
import { PackedKeys } from "./packed-keys.ts";
import { Page } from "./page.ts";
import type { MemoryHolder, PageCache } from "./page-cache.ts";
import type { Place } from "./page-directory.ts";
import type { PageEdit } from "./page-rewriting.ts";
import { edited } from "./page-rewriting.ts";
import { Pages } from "./pages.ts";
import type { PageSpace, StateStore } from "./store.ts";

/** Keys that room is made for at once: most of a great many may be the same few. */
const MAX_EXPECTED = 16_384;

export interface StateEntry {
  readonly key: string;
  readonly value: unknown;
}

/** `key, value` in turns; the value null takes the key away. */
export type Changes = readonly unknown[];

export class KeyedState implements MemoryHolder {
  readonly #store: StateStore;
  readonly #pages: Pages;
  readonly #overlay = new Overlay();

  /** @param name for the cache: no other that lives has it. */
  constructor(store: StateStore, cache: PageCache, name: string, space: PageSpace = "state") {
    this.#store = store;
    this.#pages = new Pages(store, cache, name, space);
    cache.track(name, this);
  }

  /** Values that wait for the next checkpoint. */
  get changedKeys(): number {
    return this.keysBeside + this.#pages.changes;
  }

  /** Those of them that are not in pages. */
  get keysBeside(): number {
    return this.#overlay.changes;
  }

  /** Pages that the next checkpoint would write, about. */
  get changedPages(): number {
    return Math.min(this.pages + 1, this.#pages.pinned + this.keysBeside);
  }

  /** Bytes that entries beside the pages take, about. */
  get heldBytes(): number {
    return this.#overlay.bytes;
  }

  /** Bytes that pages with changed values take, about. */
  get pinnedBytes(): number {
    return this.#pages.pinnedBytes;
  }

  /** Bytes that all pages would take in memory, about, but for those that have not been read yet. */
  get pageBytes(): number {
    return this.#pages.bytes;
  }

  get pages(): number {
    return this.#pages.length;
  }

  /** The value of a key; undefined when it has none. */
  get(key: string): unknown {
    const waiting = this.#overlay.get(key);
    if (waiting !== undefined) return waiting ?? undefined;
    const place = this.#pages.placeFor(key);
    if (place === undefined) return undefined;
    const page = this.#pages.load(place);
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
    if (this.pages > 0) this.#pages.read(wanted);
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
    for (let index = Math.max(0, this.#pages.indexFor(start)); index < this.#pages.length; index++) {
      const place = this.#pages.at(index) as Place;
      if (place.first > start && !place.first.startsWith(prefix)) break;
      const page = this.#pages.load(place);
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
    this.#pages.freeze();
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
    return this.#pages.settled && (frozen === undefined || frozen.at >= frozen.sorted.length);
  }

  #put(key: string, value: unknown, hash = hashOf(key)): void {
    // What waits above its page stays there: it is what counts.
    if (value === null || this.#overlay.get(key, hash) !== undefined || !this.#putInPage(key, value, hash))
      this.#overlay.set(key, value, hash);
  }

  /** Changes a value in its page. @returns false when that page is not in memory, has no such key, or may not stay. */
  #putInPage(key: string, value: unknown, hash: number): boolean {
    const place = this.#pages.placeFor(key);
    if (place === undefined) return false;
    const page = this.#pages.held(place);
    if (page === undefined) return false;
    const at = page.keys.at(key, hash);
    if (at < 0) return false;
    return this.#pages.change(place, page, at, value);
  }

  /** The same where a commit has found it. @returns false also when it may not be there any more. */
  #putWhereRead({ place, page: serial, at, after }: Cell): boolean {
    if (place === undefined) return false;
    const page = this.#pages.held(place);
    return page?.serial === serial && this.#pages.change(place, page, at, after);
  }

  /** Rewrites the next page that a frozen key falls into, or whose values have changed, with all of that. @returns pages written */
  #flushPage(): number {
    const { frozen } = this.#overlay;
    const key = frozen?.sorted[frozen.at]?.key;
    const { nextDue } = this.#pages;
    const index = key === undefined ? nextDue : Math.min(nextDue, this.#pages.indexFor(key));
    const place = this.#pages.at(index);
    const page = place === undefined ? new Page(PackedKeys.of([]), []) : this.#pages.load(place);
    const end = this.#pages.at(index + 1)?.first;
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
    const rekeyed = edits.length > 0;
    return this.#pages.write(index, place, rekeyed ? edited(page, edits) : page, rekeyed);
  }

  *#overlaid(key: string): IterableIterator<StateEntry> {
    const value = this.#overlay.get(key);
    if (value !== null) yield { key, value };
  }
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
