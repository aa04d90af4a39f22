/** PageDirectory: the pages of a state in order, and which of them a key belongs to. */
import type { Keyed } from "./key-map.ts";
import { commonStart } from "./key-text.ts";
import { PackedKeys } from "./packed-keys.ts";
import type { Page } from "./page.ts";
import type { PageInfo } from "./store.ts";

/** A page's place in the directory. */
export interface Place extends PageInfo {
  /** Its name in the cache, which has it as it is stored. */
  readonly cached: string;
  /** The page itself while it holds what waits for a checkpoint. */
  changed: Page | undefined;
  /** What the page takes in memory, as of when it was last there; 0 before. */
  bytes: number;
  /** How many characters all keys that belong to it begin with in common, at least: what is between two texts begins as both do. */
  shared: number;
}

/** Some keys by the pages that they belong to. */
export interface ByPlace<Key> {
  /** In the order of their places. */
  readonly keys: readonly Key[];
  /** Where in the directory the place of each is. */
  readonly places: Int32Array;
}

export class PageDirectory {
  /** By `first`; the first page's is "". */
  readonly #places: Place[];
  /** What it is searched by: without the first page's, which has nothing in common with the others. Undefined when it has changed since. */
  #firsts: PackedKeys | undefined;

  /** @param places by `first`. */
  constructor(places: readonly Place[]) {
    this.#places = [...places];
  }

  get length(): number {
    return this.#places.length;
  }

  at(index: number): Place | undefined {
    return this.#places[index];
  }

  [Symbol.iterator](): Iterator<Place> {
    return this.#places[Symbol.iterator]();
  }

  /** The last place whose `first` does not sort after the key; −1 when there are none. */
  indexFor(key: string): number {
    if (this.#places.length === 0) return -1;
    this.#firsts ??= this.#searchable();
    const at = this.#firsts.find(key);
    return at < 0 ? ~at : at + 1;
  }

  placeFor(key: string): Place | undefined {
    return this.#places[this.indexFor(key)];
  }

  /** Sorts keys by their places, which must be some: a page is then looked at once for all of its own. */
  byPlace<Key extends Keyed>(keys: readonly Key[]): ByPlace<Key> {
    const { length } = keys;
    const found = new Int32Array(length);
    /** Where the next key of each place goes, once counted. */
    const next = new Int32Array(this.#places.length + 1);
    for (let n = 0; n < length; n++) {
      const index = this.indexFor((keys[n] as Key).key);
      found[n] = index;
      next[index + 1] = (next[index + 1] as number) + 1;
    }
    for (let index = 1; index < next.length; index++)
      next[index] = (next[index] as number) + (next[index - 1] as number);
    const sorted = [...keys];
    const places = new Int32Array(length);
    for (let n = 0; n < length; n++) {
      const index = found[n] as number;
      const to = next[index] as number;
      next[index] = to + 1;
      sorted[to] = keys[n] as Key;
      places[to] = index;
    }
    return { keys: sorted, places };
  }

  /** Puts a place there, instead of as many as `instead` says. */
  put(index: number, place: Place, instead: 0 | 1): void {
    this.#places.splice(index, instead, place);
    this.#firsts = undefined;
  }

  remove(index: number): void {
    this.#places.splice(index, 1);
    this.#firsts = undefined;
  }

  #searchable(): PackedKeys {
    const firsts: string[] = [];
    let before: Place | undefined;
    for (const place of this.#places) {
      if (before !== undefined) {
        firsts.push(place.first);
        before.shared = commonStart(before.first, place.first);
      }
      before = place;
    }
    if (before !== undefined) before.shared = 0;
    return PackedKeys.of(firsts);
  }
}
