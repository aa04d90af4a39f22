/**
 * KeyIndex: finds packed keys by their hashes, many of many pages at once.
 *
 * A search among a million keys waits for memory more than it computes. So the way to a key is in short steps, each taken
 * for all keys before the next one is: then a processor waits for many of them at the same time (group prefetching, as in
 * Chen, Ailamaki, Gibbons and Mowry, "Improving Hash Join Performance through Prefetching", ICDE 2004).
 */
import type { Keyed } from "./key-map.ts";
import { hashOf } from "./key-map.ts";
import type { KeyEdit } from "./key-text.ts";
import { startOf } from "./key-text.ts";

/** Of a slot, the bits that say which key; the others are those of its hash that do not say where the slot is. */
const PLACE_BITS = 16;
const PLACE_MASK = 2 ** PLACE_BITS - 1;
/** Two thirds of the slots are in use, and four fifths when keys have come. */
const SLOTS_PER_KEY = 1.5;
const LEAST_SLOTS_PER_KEY = 1.25;
/** What `hashOf` gives is below this. */
const HASHES = 2 ** 30;

/** What came from memory for each key: reused, since a commit asks again and again. */
let scratch = new Int32Array(256);

export class KeyIndex {
  readonly #text: string;
  readonly #ends: Uint32Array;
  /** A place counted from 1, and bits of the hash of what is there; 0 where nothing is. Each is where its hash says or in the next that was free. */
  readonly #slots: Uint32Array;

  /** Whether so many keys are few enough for an index. */
  static holds(keys: number): boolean {
    return keys < PLACE_MASK;
  }

  private constructor(text: string, ends: Uint32Array, slots: Uint32Array) {
    this.#text = text;
    this.#ends = ends;
    this.#slots = slots;
  }

  /**
   * @param text the keys, one after the other.
   * @param ends where each ends in it.
   */
  static of(text: string, ends: Uint32Array): KeyIndex {
    const slots = new Uint32Array(Math.ceil(ends.length * SLOTS_PER_KEY) + 1);
    const index = new KeyIndex(text, ends, slots);
    for (let at = 0; at < ends.length; at++) index.#add(hashOf(text, startOf(ends, at), ends[at]), at);
    return index;
  }

  /**
   * The index of the same keys and some that come, without hashing those that it knows; undefined where keys go, or there is no room.
   *
   * @param text of all of them.
   * @param ends of all of them.
   * @param edits in the order of their keys.
   */
  edited(text: string, ends: Uint32Array, edits: readonly KeyEdit[]): KeyIndex | undefined {
    if (ends.length * LEAST_SLOTS_PER_KEY > this.#slots.length || !KeyIndex.holds(ends.length))
      return undefined;
    if (edits.some(({ key }) => key === undefined)) return undefined;
    // How many come before what is at each place.
    const before = new Uint16Array(this.#ends.length);
    for (let place = 0, come = 0; place < before.length; place++) {
      while (come < edits.length && (edits[come] as KeyEdit).at <= place) come++;
      before[place] = come;
    }
    const slots = this.#slots.slice();
    for (let slot = 0; slot < slots.length; slot++) {
      const entry = slots[slot] as number;
      if (entry !== 0) slots[slot] = entry + (before[(entry & PLACE_MASK) - 1] as number);
    }
    const index = new KeyIndex(text, ends, slots);
    for (let n = 0; n < edits.length; n++) {
      const { at, hash } = edits[n] as KeyEdit;
      index.#add(hash, at + n);
    }
    return index;
  }

  /** The place of a key, −1 if it is not there. */
  find(key: string, hash: number): number {
    for (let slot = this.#match(this.#home(hash), hash); ; slot = this.#match(this.#after(slot), hash)) {
      const at = this.#placeIn(slot);
      if (at < 0 || this.#is(at, key)) return at;
    }
  }

  /**
   * Finds keys, each in an index of its own.
   *
   * @param indexes of each key.
   * @param known how many characters each begins with as all keys of its index do.
   * @param places becomes the place of each, −1 where it is not there.
   */
  static locate(
    indexes: readonly KeyIndex[],
    wanted: readonly Keyed[],
    known: Int32Array,
    places: Int32Array,
  ): void {
    const { length } = wanted;
    if (scratch.length < length) scratch = new Int32Array(length * 2);
    // One loop asks memory for something, and only the next one looks at what came: so nothing waits for it.
    for (let n = 0; n < length; n++) {
      const index = indexes[n] as KeyIndex;
      const home = index.#home((wanted[n] as Keyed).hash);
      places[n] = home;
      scratch[n] = index.#slots[home] as number;
    }
    // The first that has its hash, as far as a slot says: nearly always the one.
    for (let n = 0; n < length; n++) {
      const index = indexes[n] as KeyIndex;
      places[n] = index.#placeIn(index.#match(places[n] as number, (wanted[n] as Keyed).hash));
    }
    for (let n = 0; n < length; n++)
      scratch[n] = (indexes[n] as KeyIndex).#ends[Math.max(0, places[n] as number)] as number;
    for (let n = 0; n < length; n++)
      scratch[n] = (indexes[n] as KeyIndex).#text.charCodeAt((scratch[n] as number) - 1);
    for (let n = 0; n < length; n++) {
      const { key, hash } = wanted[n] as Keyed;
      const index = indexes[n] as KeyIndex;
      const at = places[n] as number;
      if (at >= 0 && !index.#is(at, key, known[n] as number)) places[n] = index.find(key, hash);
    }
  }

  #add(hash: number, at: number): void {
    const slots = this.#slots;
    let slot = this.#home(hash);
    while (slots[slot] !== 0) slot = this.#after(slot);
    slots[slot] = ((hash & PLACE_MASK) << PLACE_BITS) | (at + 1);
  }

  /** The first slot, from one on, whose key may have a hash, or in which nothing is. */
  #match(from: number, hash: number): number {
    for (let slot = from; ; slot = this.#after(slot)) {
      const entry = this.#slots[slot] as number;
      if (entry === 0 || entry >>> PLACE_BITS === (hash & PLACE_MASK)) return slot;
    }
  }

  /** The place of what a slot has, −1 where nothing is. */
  #placeIn(slot: number): number {
    return ((this.#slots[slot] as number) & PLACE_MASK) - 1;
  }

  #after(slot: number): number {
    return slot + 1 === this.#slots.length ? 0 : slot + 1;
  }

  #is(at: number, key: string, known = 0): boolean {
    const text = this.#text;
    const ends = this.#ends;
    const start = startOf(ends, at);
    if ((ends[at] as number) - start !== key.length) return false;
    for (let n = key.length - 1; n >= known; n--) {
      if (text.charCodeAt(start + n) !== key.charCodeAt(n)) return false;
    }
    return true;
  }

  #home(hash: number): number {
    return Math.floor((hash / HASHES) * this.#slots.length);
  }
}
