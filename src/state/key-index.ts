/**
 * KeyIndex: finds packed keys by their hashes, many at once.
 *
 * A search among a million keys waits for memory more than it computes. So the way to a key is in short steps, each taken
 * for all keys before the next one is: then a processor waits for many of them at the same time (group prefetching, as in
 * Chen, Ailamaki, Gibbons and Mowry, "Improving Hash Join Performance through Prefetching", ICDE 2004).
 */
import type { Keyed } from "./key-map.ts";
import { hashOf } from "./key-map.ts";
import { startOf } from "./key-text.ts";

/** Of a slot, the bits that say which key; the others are those of its hash that do not say where the slot is. */
const PLACE_BITS = 16;
const PLACE_MASK = 2 ** PLACE_BITS - 1;
/** Two thirds of the slots are in use. */
const SLOTS_PER_KEY = 1.5;
/** What `hashOf` gives is below this. */
const HASHES = 2 ** 30;

/** Where in the text each candidate ends: reused, since a commit asks hundreds of pages. */
let reached = new Int32Array(256);

export class KeyIndex {
  readonly #text: string;
  readonly #ends: Uint32Array;
  /** A place counted from 1, and bits of the hash of what is there; 0 where nothing is. Each is where its hash says or in the next that was free. */
  readonly #slots: Uint32Array;

  /** Whether so many keys are few enough for an index. */
  static holds(keys: number): boolean {
    return keys < PLACE_MASK;
  }

  /**
   * @param text the keys, one after the other.
   * @param ends where each ends in it.
   */
  constructor(text: string, ends: Uint32Array) {
    this.#text = text;
    this.#ends = ends;
    const slots = new Uint32Array(Math.ceil(ends.length * SLOTS_PER_KEY) + 1);
    this.#slots = slots;
    for (let at = 0; at < ends.length; at++) {
      const hash = hashOf(text.slice(startOf(ends, at), ends[at]));
      let slot = this.#home(hash);
      while (slots[slot] !== 0) slot = slot + 1 === slots.length ? 0 : slot + 1;
      slots[slot] = ((hash & PLACE_MASK) << PLACE_BITS) | (at + 1);
    }
  }

  /** The place of a key, −1 if it is not there. */
  find(key: string, hash: number): number {
    const slots = this.#slots;
    for (let slot = this.#home(hash); ; slot = slot + 1 === slots.length ? 0 : slot + 1) {
      const entry = slots[slot] as number;
      if (entry === 0) return -1;
      if (entry >>> PLACE_BITS !== (hash & PLACE_MASK)) continue;
      const at = (entry & PLACE_MASK) - 1;
      if (this.#is(at, key)) return at;
    }
  }

  /** The places of keys, −1 for those that are not there. @param places where the answers go. */
  locate(wanted: readonly Keyed[], places: Int32Array): void {
    const { length } = wanted;
    if (reached.length < length) reached = new Int32Array(length * 2);
    const text = this.#text;
    const ends = this.#ends;
    // The key that it would be, if it is where its hash says.
    for (let n = 0; n < length; n++) {
      const { hash } = wanted[n] as Keyed;
      const entry = this.#slots[this.#home(hash)] as number;
      places[n] = entry >>> PLACE_BITS === (hash & PLACE_MASK) ? (entry & PLACE_MASK) - 1 : -1;
    }
    for (let n = 0; n < length; n++) reached[n] = ends[Math.max(0, places[n] as number)] as number;
    // Most that have its hash and end alike are the same: this is what makes the text come from memory.
    for (let n = 0; n < length; n++) {
      const { key } = wanted[n] as Keyed;
      if (text.charCodeAt((reached[n] as number) - 1) !== key.charCodeAt(key.length - 1)) places[n] = -1;
    }
    for (let n = 0; n < length; n++) {
      const { key, hash } = wanted[n] as Keyed;
      const at = places[n] as number;
      if (at < 0 || !this.#is(at, key)) places[n] = this.find(key, hash);
    }
  }

  #is(at: number, key: string): boolean {
    const text = this.#text;
    const ends = this.#ends;
    const start = startOf(ends, at);
    if ((ends[at] as number) - start !== key.length) return false;
    for (let n = key.length - 1; n >= 0; n--) {
      if (text.charCodeAt(start + n) !== key.charCodeAt(n)) return false;
    }
    return true;
  }

  #home(hash: number): number {
    return Math.floor((hash / HASHES) * this.#slots.length);
  }
}
