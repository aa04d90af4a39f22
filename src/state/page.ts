/**
 * Page: a run of many keys in order with their values, as storage holds it, decoded: one row, and another one for values
 * that were written later than it.
 *
 * Values may be changed in place: a value that a commit has made durable in the log may be in a page before the
 * checkpoint that it belongs to, since replaying the log over it gives the same.
 */
import { byteLength } from "../byte-length.ts";
import { StateError } from "../errors.ts";
import { ByteReader, ByteWriter, VARINT_BYTES } from "./bytes.ts";
import { PackedKeys } from "./packed-keys.ts";
import { packValues, unpackValues } from "./packed-values.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** What a page begins with: then how many bytes the JSON of its keys takes, that, and the values. The first format was JSON, `[keys, values]`. */
const FORMAT = 2;
const FIRST_FORMAT = "[".charCodeAt(0);

/** What JSON puts around keys: brackets and quotes. */
const JSON_FRAME = 4;

/** A place in a list, and what it holds there itself if it is a number. */
const VALUE_BYTES = 8;
/** Per key, where it ends and a slot and a half of the index, four bytes each. */
const KEY_BYTES = 10;
/** Values are written beside their keys where they take at most so much of them. */
const SMALL_VALUES = 1 / 2;
/** What is no number takes about this many times its encoded bytes. */
const DECODED_FACTOR = 2;

/** Of a word. */
const BITS = 32;

let pages = 0;

export class Page {
  readonly keys: PackedKeys;
  /** Tells it from all others that there have been: who knows where a key is in it need not keep it in memory. */
  readonly serial = ++pages;
  readonly #values: unknown[];
  /** Which values have changed since the page was last written, a bit each. */
  #changed: Int32Array | undefined;
  #changes = 0;
  #bytes = 0;
  /** Bytes that each character of the keys takes: one beyond Latin-1 makes all of them take two. */
  #width = 1;

  /** @param keys in JavaScript string order. */
  constructor(keys: PackedKeys, values: unknown[]) {
    this.keys = keys;
    this.#values = values;
  }

  /**
   * @param newer the values, as `encodeValues` gave them, if they were written after the page.
   * @throws StateError when they are not those of its keys, or the page is of a format that this code does not know.
   */
  static decode(data: Uint8Array, newer?: Uint8Array): Page {
    const reader = new ByteReader(data);
    const format = reader.varint();
    if (format === FIRST_FORMAT) return Page.#decodeFirst(data, newer);
    if (format !== FORMAT) throw new StateError(`a page of format ${format}; this code knows ${FORMAT}`);
    const keys = reader.take(reader.varint());
    const values = newer ?? reader.rest();
    return Page.#of(PackedKeys.decode(keys), unpackValues(values), keys.length, values.length);
  }

  static #decodeFirst(data: Uint8Array, newer?: Uint8Array): Page {
    const [keys, own] = JSON.parse(decoder.decode(data)) as [string[], unknown[]];
    const packed = PackedKeys.of(keys);
    const bytes = byteLength(packed.json());
    const values = newer === undefined ? own : unpackValues(newer);
    return Page.#of(packed, values, bytes, newer?.length ?? data.length - bytes);
  }

  static #of(keys: PackedKeys, values: unknown[], keyBytes: number, valueBytes: number): Page {
    if (values.length !== keys.length)
      throw new StateError(`a page has ${keys.length} keys and ${values.length} values`);
    const page = new Page(keys, values);
    page.#measure(keyBytes, valueBytes);
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

  get values(): readonly unknown[] {
    return this.#values;
  }

  get(at: number): unknown {
    return this.#values[at];
  }

  /** @param more bytes that the new value takes more than the old one, about. @returns whether it is the first change there since it was written. */
  change(at: number, value: unknown, more: number): boolean {
    this.#values[at] = value;
    this.#bytes += more;
    this.#changed ??= new Int32Array(Math.ceil(this.keys.length / BITS));
    const word = Math.floor(at / BITS);
    const before = this.#changed[word] as number;
    const after = before | (1 << (at % BITS));
    if (after === before) return false;
    this.#changed[word] = after;
    this.#changes++;
    return true;
  }

  /** Puts a value in its place that is about to be written. */
  set(at: number, value: unknown): void {
    this.#values[at] = value;
  }

  encode(): Uint8Array {
    const keys = encoder.encode(this.keys.json());
    const values = packValues(this.#values);
    this.#measure(keys.length, values.length);
    const writer = new ByteWriter(2 * VARINT_BYTES + keys.length + values.length);
    writer.varint(FORMAT);
    writer.varint(keys.length);
    writer.bytes(keys);
    writer.bytes(values);
    return writer.finish();
  }

  /** Only the values, where their keys are most of the page; else undefined. */
  encodeValues(): Uint8Array | undefined {
    const most = this.keys.characters * SMALL_VALUES;
    // To write them down takes as long as to find out: a guess first.
    if (this.keys.length > most) return undefined;
    const data = packValues(this.#values);
    if (data.length > most) return undefined;
    this.#estimate(data.length);
    return data;
  }

  /** It is stored as it is now. */
  written(): void {
    if (this.#changes > 0) this.#changed?.fill(0);
    this.#changes = 0;
  }

  /** @param keys bytes that their JSON takes. @param values bytes that they take, encoded. */
  #measure(keys: number, values: number): void {
    this.#width = keys <= this.keys.characters + JSON_FRAME ? 1 : 2;
    this.#estimate(values);
  }

  #estimate(values: number): void {
    const { length, characters } = this.keys;
    this.#bytes =
      characters * this.#width + length * KEY_BYTES + Math.max(length * VALUE_BYTES, values * DECODED_FACTOR);
  }
}
