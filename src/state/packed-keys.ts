/**
 * PackedKeys: keys in order, as one string.
 *
 * A page has thousands of them. A string each takes twice the memory, and the garbage collector walks over every one;
 * packed, a million keys are a few hundred objects.
 */
import { KeyIndex } from "./key-index.ts";
import { SEPARATOR, startOf } from "./key-text.ts";

/** An index is made when one in so many keys has been asked for: to make it takes about as long as so many searches. */
const INDEXED_AFTER = 8;

export class PackedKeys {
  readonly length: number;
  readonly #text: string;
  /** Where each key ends in the text. */
  readonly #ends: Uint32Array;
  /** How many characters all keys begin with in common. */
  readonly #shared: number;
  /** For searches in order, what follows what all begin with, a few characters as a number: close together in memory, and mostly enough to tell keys apart. Made for the first. */
  #heads: Int32Array | undefined;
  /** For keys that are asked for by their hash; made when they are many. */
  #index: KeyIndex | undefined;
  /** How many were asked for before there was an index. */
  #asked = 0;
  /** Whether JSON writes all keys as they are; undefined until somebody asks. */
  #plain: boolean | undefined;

  /** @param keys sorted, without repetition. */
  constructor(keys: readonly string[]) {
    this.length = keys.length;
    this.#text = keys.join(SEPARATOR);
    this.#ends = new Uint32Array(keys.length);
    let end = 0;
    for (let at = 0; at < keys.length; at++) {
      end += (keys[at] as string).length;
      this.#ends[at] = end;
      end += SEPARATOR.length;
    }
    // Whatever the first and the last begin with in common, those between do too.
    this.#shared = keys.length === 0 ? 0 : commonStart(keys[0] as string, keys.at(-1) as string);
  }

  /** Characters, with what stands between keys. */
  get characters(): number {
    return this.#text.length;
  }

  get(at: number): string {
    return this.#text.slice(startOf(this.#ends, at), this.#ends[at]);
  }

  list(): string[] {
    return Array.from({ length: this.length }, (_, at) => this.get(at));
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
      if (difference !== 0) return difference < 0 ? ~0 : ~this.length;
    }
    const wanted = headOf(key, shared, length);
    this.#heads ??= this.#makeHeads();
    const heads = this.#heads;
    let low = firstNotBelow(heads, wanted);
    if (low === heads.length || heads[low] !== wanted) return ~low;
    // Many keys may have the same head.
    let high = low + 1;
    if (high < heads.length && heads[high] === wanted) high = firstNotBelow(heads, wanted + 1);
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

  /** The place of a key, −1 if it is not there. @param hash what `hashOf` says of it. */
  at(key: string, hash: number): number {
    return this.#index?.find(key, hash) ?? Math.max(-1, this.find(key));
  }

  /** What finds a key by its hash: undefined while so few have been asked for that to search for each is faster. */
  index(): KeyIndex | undefined {
    if (this.#index !== undefined) return this.#index;
    this.#asked++;
    if (this.#asked * INDEXED_AFTER < this.length || !KeyIndex.holds(this.length)) return undefined;
    this.#index = new KeyIndex(this.#text, this.#ends);
    // What is searched by the one is seldom searched by the other.
    this.#heads = undefined;
    return this.#index;
  }

  /** As a JSON array. */
  json(): string {
    if (this.length === 0) return "[]";
    if (this.#plain === true) return `["${this.#text}"]`;
    const json = JSON.stringify(this.list());
    // To escape something makes it longer.
    this.#plain ??= json.length === this.#text.length + 4;
    return json;
  }

  #makeHeads(): Int32Array {
    const heads = new Int32Array(this.length);
    const ends = this.#ends;
    for (let at = 0; at < heads.length; at++)
      heads[at] = headOf(this.#text, startOf(ends, at) + this.#shared, ends[at] as number);
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

/** How many characters two texts begin with in common. */
export function commonStart(a: string, b: string): number {
  let at = 0;
  while (at < a.length && at < b.length && a.charCodeAt(at) === b.charCodeAt(at)) at++;
  return at;
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
