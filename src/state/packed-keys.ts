/**
 * PackedKeys: keys in order, as one string.
 *
 * A page has thousands of them. A string each takes twice the memory, and the garbage collector walks over every one;
 * packed, a million keys are a few hundred objects.
 */
import { KeyIndex } from "./key-index.ts";
import type { Keyed } from "./key-map.ts";
import { SEPARATOR, startOf } from "./key-text.ts";

/** Keys from one sample to the next: their heads are two lines of a processor's cache. */
const SAMPLED = 32;
/** An index is made when one in so many keys has been asked for: to make it takes about as long as so many searches. */
const INDEXED_AFTER = 8;

interface Heads {
  /** What follows what all keys begin with, a few characters as a number: close together in memory, and mostly enough to tell keys apart. */
  readonly heads: Uint32Array;
  /** Every so manyth of them: a search that starts here touches little memory, and the same for all keys of a page. */
  readonly samples: Uint32Array;
}

export class PackedKeys {
  readonly length: number;
  readonly #text: string;
  /** Where each key ends in the text. */
  readonly #ends: Uint32Array;
  /** How many characters all keys begin with in common. */
  readonly #shared: number;
  /** For searches in order; made for the first. */
  #heads: Heads | undefined;
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

  /**
   * The place of a key; if it is not there, `~place` of the first key that sorts after it.
   *
   * @param known how many characters it is known to begin with as all of them do.
   */
  find(key: string, known = 0): number {
    const text = this.#text;
    const ends = this.#ends;
    const shared = this.#shared;
    const { length } = key;
    // What all of them begin with is compared once, not with each of them.
    for (let at = known; at < shared; at++) {
      if (at >= length) return ~0;
      const difference = key.charCodeAt(at) - text.charCodeAt(at);
      if (difference !== 0) return difference < 0 ? ~0 : ~this.length;
    }
    const wanted = headOf(key, shared, length);
    this.#heads ??= this.#makeHeads();
    const { heads, samples } = this.#heads;
    let sample = 0;
    for (let end = samples.length; sample < end; ) {
      const middle = (sample + end) >>> 1;
      if ((samples[middle] as number) < wanted) sample = middle + 1;
      else end = middle;
    }
    // Many keys may have the same head.
    let beyond = sample;
    while (beyond < samples.length && samples[beyond] === wanted) beyond++;
    let low = Math.max(0, sample - 1) * SAMPLED;
    let high = Math.min(this.length, beyond * SAMPLED);
    while (low < high) {
      const middle = (low + high) >>> 1;
      const head = heads[middle] as number;
      let difference = head - wanted;
      if (difference === 0) {
        const end = ends[middle] as number;
        let from = startOf(ends, middle) + shared;
        let at = shared;
        while (from < end && at < length) {
          difference = text.charCodeAt(from++) - key.charCodeAt(at++);
          if (difference !== 0) break;
        }
        // One that begins with the other sorts after it.
        if (difference === 0) difference = end - from - (length - at);
        if (difference === 0) return middle;
      }
      if (difference < 0) low = middle + 1;
      else high = middle;
    }
    return ~low;
  }

  /**
   * The place of a key, −1 if it is not there.
   *
   * @param hash what `hashOf` says of it.
   * @param known as for `find`.
   */
  at(key: string, hash: number, known = 0): number {
    return this.#index?.find(key, hash) ?? Math.max(-1, this.find(key, known));
  }

  /**
   * The places of many keys, −1 for those that are not there.
   *
   * @param places where the answers go, in the order of `wanted`.
   * @param known as for `find`.
   */
  locate(wanted: readonly Keyed[], known: number, places: Int32Array): void {
    if (this.#index === undefined) {
      this.#asked += wanted.length;
      if (this.#asked * INDEXED_AFTER < this.length || !KeyIndex.holds(this.length)) {
        for (let n = 0; n < wanted.length; n++) {
          const { key, hash } = wanted[n] as Keyed;
          places[n] = this.at(key, hash, known);
        }
        return;
      }
      this.#index = new KeyIndex(this.#text, this.#ends);
      // What is searched by the one is seldom searched by the other.
      this.#heads = undefined;
    }
    this.#index.locate(wanted, places);
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

  #makeHeads(): Heads {
    const heads = new Uint32Array(this.length);
    const text = this.#text;
    const ends = this.#ends;
    for (let at = 0; at < heads.length; at++)
      heads[at] = headOf(text, startOf(ends, at) + this.#shared, ends[at] as number);
    const samples = new Uint32Array(Math.ceil(heads.length / SAMPLED));
    for (let n = 0; n < samples.length; n++) samples[n] = heads[n * SAMPLED] as number;
    return { heads, samples };
  }
}

/** How many characters two texts begin with in common. */
export function commonStart(a: string, b: string): number {
  let at = 0;
  while (at < a.length && at < b.length && a.charCodeAt(at) === b.charCodeAt(at)) at++;
  return at;
}

/**
 * Four characters of a key that ends at `end`, from `start` on, as a number: a key with a smaller one sorts before; the same number says
 * nothing. A character that does not fit a byte is as the largest, and those behind it do not count.
 */
function headOf(text: string, start: number, end: number): number {
  let head = 0;
  for (let at = start; at < start + 4; at++) {
    const code = at < end ? text.charCodeAt(at) : 0;
    if (code >= 0xff) return (head * 0x100 + 0xff) * 0x100 ** (start + 3 - at);
    head = head * 0x100 + code;
  }
  return head;
}
