/**
 * PackedKeys: keys in order, as one string.
 *
 * A page has thousands of them. A string each takes twice the memory, and the garbage collector walks over every one;
 * packed, a million keys are a few hundred objects. So nothing here takes them apart that need not: a page that is read, cut,
 * or has keys come and go is made of pieces of text.
 */
import { KeyIndex } from "./key-index.ts";
import { KeyOrder } from "./key-order.ts";
import type { KeyEdit } from "./key-text.ts";
import { isPlain, joined, SEPARATOR, startOf } from "./key-text.ts";

/** A key may begin with what elsewhere marks the order of bytes. */
const decoder = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });

/** An index is made when one in so many keys has been asked for: to make it takes about as long as so many searches. */
const INDEXED_AFTER = 8;

export class PackedKeys {
  readonly length: number;
  readonly #text: string;
  /** Where each key ends in the text. */
  readonly #ends: Uint32Array;
  /** Whether JSON writes all keys as they are; undefined until somebody asks. */
  #plain: boolean | undefined;
  /** For searches in order; made for the first. */
  #order: KeyOrder | undefined;
  /** For keys that are asked for by their hash; made when they are many. */
  #index: KeyIndex | undefined;
  /** How many were asked for before there was an index. */
  #asked = 0;

  private constructor(text: string, ends: Uint32Array, plain: boolean | undefined) {
    this.length = ends.length;
    this.#text = text;
    this.#ends = ends;
    this.#plain = plain;
  }

  /** @param keys sorted, without repetition. */
  static of(keys: readonly string[]): PackedKeys {
    const ends = new Uint32Array(keys.length);
    let end = -SEPARATOR.length;
    for (let at = 0; at < keys.length; at++) {
      end += SEPARATOR.length + (keys[at] as string).length;
      ends[at] = end;
    }
    return new PackedKeys(joined(keys), ends, undefined);
  }

  /** @param data what `json` gives, in UTF-8. @throws SyntaxError when it is no JSON. */
  static decode(data: Uint8Array): PackedKeys {
    // Without the brackets and the first and the last quotes.
    const text = decoder.decode(data.subarray(2, -2));
    // JSON writes nothing otherwise than as it is without one.
    if (data.length <= 2 || text.includes("\\"))
      return PackedKeys.of(JSON.parse(decoder.decode(data)) as string[]);
    const ends: number[] = [];
    for (let end = text.indexOf('"'); end >= 0; end = text.indexOf('"', end + SEPARATOR.length))
      ends.push(end);
    ends.push(text.length);
    return new PackedKeys(text, new Uint32Array(ends), true);
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
    this.#order ??= new KeyOrder(this.#text, this.#ends);
    return this.#order.find(key);
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
    this.#index = KeyIndex.of(this.#text, this.#ends);
    // What is searched by the one is seldom searched by the other.
    this.#order = undefined;
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

  /** Those from one place to another. */
  slice(from: number, to: number): PackedKeys {
    const last = Math.min(to, this.length) - 1;
    if (last < from) return PackedKeys.of([]);
    const start = startOf(this.#ends, from);
    // In two pieces, which become one text of their own.
    const middle = Math.floor((from + last) / 2);
    const pieces =
      middle === last ? [this.#run(from, last)] : [this.#run(from, middle), this.#run(middle + 1, last)];
    const ends = this.#ends.slice(from, last + 1).map((end) => end - start);
    return new PackedKeys(joined(pieces), ends, this.#plain === true ? true : undefined);
  }

  /** With keys that come and without those that go. @param edits in the order of their keys. */
  edited(edits: readonly KeyEdit[]): PackedKeys {
    const ends = new Uint32Array(this.length + edits.length);
    const pieces: string[] = [];
    let length = 0;
    let end = -SEPARATOR.length;
    let next = 0;
    let plain = this.#plain === true || this.length === 0;
    const keepUpTo = (to: number) => {
      if (to === next) return;
      pieces.push(this.#run(next, to - 1));
      const shift = end + SEPARATOR.length - startOf(this.#ends, next);
      for (; next < to; next++) ends[length++] = (this.#ends[next] as number) + shift;
      end = ends[length - 1] as number;
    };
    for (const { at, key } of edits) {
      keepUpTo(at);
      if (key === undefined) {
        next = at + 1;
        continue;
      }
      pieces.push(key);
      plain &&= isPlain(key);
      end += SEPARATOR.length + key.length;
      ends[length++] = end;
    }
    keepUpTo(this.length);
    const all = ends.subarray(0, length);
    const text = joined(pieces);
    const keys = new PackedKeys(text, length === ends.length ? ends : all.slice(), plain ? true : undefined);
    keys.#index = this.#index?.edited(keys.#text, keys.#ends, edits);
    return keys;
  }

  /** The text of those from one place to another, both included. */
  #run(first: number, last: number): string {
    return this.#text.slice(startOf(this.#ends, first), this.#ends[last]);
  }
}
