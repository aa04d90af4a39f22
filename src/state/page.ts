/**
 * Page: a run of many keys in order with their values, as storage holds it, decoded: one row, and another one for values
 * that were written later than it.
 *
 * Values may be changed in place: a value that a commit has made durable in the log may be in a page before the
 * checkpoint that it belongs to, since replaying the log over it gives the same.
 */
import { StateError } from "../errors.ts";
import { PackedKeys } from "./packed-keys.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A place in a list, and what it holds there itself if it is a number. */
const VALUE_BYTES = 8;
/** Per key, where it ends and a slot and a half of the index, four bytes each, and one for whether its value has changed. */
const KEY_BYTES = 11;
/** Values are written beside their keys where they take at most so much of them. */
const SMALL_VALUES = 1 / 2;
/** What is no number takes about this many times its encoded bytes. */
const DECODED_FACTOR = 2;

let pages = 0;

export class Page {
  readonly keys: PackedKeys;
  /** Tells it from all others that there have been: who knows where a key is in it need not keep it in memory. */
  readonly serial = ++pages;
  readonly #values: unknown[];
  /** Which values have changed since the page was last written. */
  #changed: Uint8Array | undefined;
  #changes = 0;
  #bytes = 0;
  /** Bytes that each character of the keys takes: one beyond Latin-1 makes all of them take two. */
  #width = 1;

  /** @param keys in JavaScript string order. */
  constructor(keys: PackedKeys, values: unknown[]) {
    this.keys = keys;
    this.#values = values;
  }

  /** @param newer the values, as `encodeValues` gave them, if they were written after the page. @throws StateError when they are not those of its keys. */
  static decode(data: Uint8Array, newer?: Uint8Array): Page {
    const text = decoder.decode(data);
    const [keys, own] = JSON.parse(text) as [string[], unknown[]];
    const values = newer === undefined ? own : (JSON.parse(decoder.decode(newer)) as unknown[]);
    if (values.length !== keys.length)
      throw new StateError(`a page has ${keys.length} keys and ${values.length} values`);
    const page = new Page(PackedKeys.of(keys), values);
    page.#measure(text.length, data.length);
    return page;
  }

  /** What it takes in memory, about; as of when it was last decoded or encoded, with what has changed since. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many values have changed since it was last written. */
  get changes(): number {
    return this.#changes;
  }

  get(at: number): unknown {
    return this.#values[at];
  }

  /** @param more bytes that the new value takes more than the old one, about. @returns whether it is the first change there since it was written. */
  change(at: number, value: unknown, more: number): boolean {
    this.#values[at] = value;
    this.#bytes += more;
    this.#changed ??= new Uint8Array(this.keys.length);
    if (this.#changed[at] === 1) return false;
    this.#changed[at] = 1;
    this.#changes++;
    return true;
  }

  /** Puts a value in its place that is about to be written. */
  set(at: number, value: unknown): void {
    this.#values[at] = value;
  }

  get values(): readonly unknown[] {
    return this.#values;
  }

  encode(): Uint8Array {
    const text = `[${this.keys.json()},${JSON.stringify(this.#values)}]`;
    const data = encoder.encode(text);
    this.#measure(text.length, data.length);
    return data;
  }

  /** Only the values, where their keys are most of the page; else undefined. */
  encodeValues(): Uint8Array | undefined {
    const most = this.keys.characters * SMALL_VALUES;
    // To write them down takes as long as to find out: a guess first.
    if (this.keys.length * 2 > most) return undefined;
    const data = encoder.encode(JSON.stringify(this.#values));
    if (data.length > most) return undefined;
    this.#estimate(data.length);
    return data;
  }

  /** It is stored as it is now. */
  written(): void {
    if (this.#changes > 0) this.#changed?.fill(0);
    this.#changes = 0;
  }

  #measure(characters: number, encoded: number): void {
    this.#width = characters === encoded ? 1 : 2;
    this.#estimate(encoded - this.keys.characters);
  }

  /** @param values bytes that they take, encoded. */
  #estimate(values: number): void {
    const { length, characters } = this.keys;
    this.#bytes =
      characters * this.#width + length * KEY_BYTES + Math.max(length * VALUE_BYTES, values * DECODED_FACTOR);
  }
}
