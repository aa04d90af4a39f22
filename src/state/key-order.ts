/** KeyOrder: finds packed keys by their order, and where those belong that are not there. */
import { commonStart, startOf } from "./key-text.ts";

/** Heads are made when one in so many keys has been asked for: to make them takes about as long as so many searches without. */
const HEADS_AFTER = 32;

export class KeyOrder {
  readonly #text: string;
  /** Where each key ends in the text. */
  readonly #ends: Uint32Array;
  /** How many characters all keys begin with in common. */
  readonly #shared: number;
  /** What follows those, a few characters as a number: close together in memory, and mostly enough to tell keys apart. Made when it pays. */
  #heads: Int32Array | undefined;
  #asked = 0;

  /**
   * @param text the keys, one after the other.
   * @param ends where each ends in it.
   */
  constructor(text: string, ends: Uint32Array) {
    const { length } = ends;
    this.#text = text;
    this.#ends = ends;
    // Whatever the first and the last begin with in common, those between do too.
    this.#shared =
      length === 0
        ? 0
        : commonStart(text.slice(0, ends[0]), text.slice(startOf(ends, length - 1), ends[length - 1]));
  }

  /** The place of a key; if it is not there, `~place` of the first key that sorts after it. */
  find(key: string): number {
    const text = this.#text;
    const ends = this.#ends;
    const shared = this.#shared;
    const { length } = key;
    // What all of them begin with is compared once, not with each of them.
    for (let at = 0; at < shared; at++) {
      if (at >= length) return ~0;
      const difference = key.charCodeAt(at) - text.charCodeAt(at);
      if (difference !== 0) return difference < 0 ? ~0 : ~ends.length;
    }
    let low = 0;
    let high = ends.length;
    const heads = this.#heads ?? this.#headsIfDue();
    if (heads !== undefined) {
      const wanted = headOf(key, shared, length);
      low = firstNotBelow(heads, wanted);
      if (low === high || heads[low] !== wanted) return ~low;
      // Many keys may have the same head.
      const one = low + 1 === high || heads[low + 1] !== wanted;
      high = one ? low + 1 : firstNotBelow(heads, wanted + 1);
    }
    while (low < high) {
      const middle = (low + high) >>> 1;
      const end = ends[middle] as number;
      let from = startOf(ends, middle) + shared;
      let at = shared;
      let difference = 0;
      while (from < end && at < length) {
        difference = text.charCodeAt(from++) - key.charCodeAt(at++);
        if (difference !== 0) break;
      }
      // One that begins with the other sorts after it.
      if (difference === 0) difference = end - from - (length - at);
      if (difference === 0) return middle;
      if (difference < 0) low = middle + 1;
      else high = middle;
    }
    return ~low;
  }

  #headsIfDue(): Int32Array | undefined {
    const text = this.#text;
    const ends = this.#ends;
    if (++this.#asked * HEADS_AFTER < ends.length) return undefined;
    const heads = new Int32Array(ends.length);
    for (let at = 0; at < heads.length; at++)
      heads[at] = headOf(text, startOf(ends, at) + this.#shared, ends[at] as number);
    this.#heads = heads;
    return heads;
  }
}

/**
 * The first place of a sorted list, of numbers from 0 to 2^31 − 1, that is not below `wanted`.
 *
 * The sign of a difference says which half it is, without a branch: a processor guesses every other one wrong
 * (Khuong and Morin, "Array Layouts for Comparison-Based Searching", 2017).
 */
function firstNotBelow(sorted: Int32Array, wanted: number): number {
  let base = 0;
  for (let left = sorted.length; left > 0; ) {
    const half = (left + 1) >>> 1;
    base += half & (((sorted[base + half - 1] as number) - wanted) >> 31);
    left -= half;
  }
  return base;
}

/**
 * Four characters of a key that ends at `end`, from `start` on, as a number below 2^31: a key with a smaller one sorts before; the same
 * number says nothing. A character that does not fit a byte is as the largest, and those behind it do not count.
 */
function headOf(text: string, start: number, end: number): number {
  let head = 0;
  for (let at = start; at < start + 4; at++) {
    const code = at < end ? text.charCodeAt(at) : 0;
    if (code >= 0xff) return (((head << 8) | 0xff) << (8 * (start + 3 - at))) >>> 1;
    head = (head << 8) | code;
  }
  return head >>> 1;
}
