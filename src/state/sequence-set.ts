/**
 * SequenceSet: a set of numbers that mostly come in order: everything below a prefix, and a sparse bitmap above it.
 *
 * Numbers run 0, 1, 2, …, so in the long run the set collapses into one number; what comes early costs one bit.
 */
import type { ByteReader, ByteWriter } from "./bytes.ts";

const CHUNK_BITS = 1024;
const CHUNK_WORDS = CHUNK_BITS / 32;
/** What a chunk costs in memory, about: its words and its entry in a map. */
const CHUNK_BYTES = CHUNK_WORDS * 4 + 64;

/** A chunk in which every bit is set is this one; it costs no words. */
const FULL = new Uint32Array(0);

export class SequenceSet {
  #prefix = 0;
  #fence = 0;
  readonly #chunks = new Map<number, Uint32Array>();
  #bytes = 0;

  /** Every number below it is in the set, or was given up. */
  get prefix(): number {
    return this.#prefix;
  }

  /** Below it nobody knows any more which numbers are in the set. */
  get fence(): number {
    return this.#fence;
  }

  /** Chunks of the bitmap: how much there is to give up. */
  get chunks(): number {
    return this.#chunks.size;
  }

  /** What the bitmap takes in memory, about. */
  get bytes(): number {
    return this.#bytes;
  }

  has(sequence: number): boolean {
    if (sequence < this.#prefix) return true;
    const chunk = this.#chunks.get(Math.floor(sequence / CHUNK_BITS));
    return chunk !== undefined && (chunk === FULL || hasBit(chunk, sequence % CHUNK_BITS));
  }

  add(sequence: number): void {
    if (sequence < this.#prefix) return;
    if (sequence === this.#prefix && this.#chunks.size === 0) {
      this.#prefix++;
      return;
    }
    this.#setBit(sequence);
    this.#close();
  }

  /** Gives up the gaps of the lowest chunk, to save its bytes: the prefix and the fence move behind it. */
  giveUpLowest(): void {
    let lowest = Number.POSITIVE_INFINITY;
    for (const index of this.#chunks.keys()) lowest = Math.min(lowest, index);
    if (lowest === Number.POSITIVE_INFINITY) return;
    this.#prefix = (lowest + 1) * CHUNK_BITS;
    this.#fence = this.#prefix;
    this.#drop(lowest);
    this.#close();
  }

  encode(writer: ByteWriter): void {
    writer.varint(this.#prefix);
    writer.varint(this.#fence);
    writer.varint(this.#chunks.size);
    for (const [index, chunk] of this.#chunks) {
      writer.varint(index);
      writer.varint(chunk.length);
      for (const word of chunk) writer.uint32(word);
    }
  }

  static decode(reader: ByteReader): SequenceSet {
    const set = new SequenceSet();
    set.#prefix = reader.varint();
    set.#fence = reader.varint();
    for (let chunks = reader.varint(); chunks > 0; chunks--) {
      const index = reader.varint();
      const length = reader.varint();
      const chunk = length === 0 ? FULL : Uint32Array.from({ length }, () => reader.uint32());
      set.#chunks.set(index, chunk);
      set.#bytes += costOf(chunk);
    }
    return set;
  }

  #setBit(sequence: number): void {
    const index = Math.floor(sequence / CHUNK_BITS);
    let chunk = this.#chunks.get(index);
    if (chunk === FULL) return;
    if (chunk === undefined) {
      chunk = new Uint32Array(CHUNK_WORDS);
      // What lies below the prefix in this chunk is settled; set, it lets the chunk become full.
      const settled = Math.min(this.#prefix - index * CHUNK_BITS, CHUNK_BITS);
      for (let bit = 0; bit < settled; bit++) putBit(chunk, bit);
      this.#chunks.set(index, chunk);
      this.#bytes += CHUNK_BYTES;
    }
    putBit(chunk, sequence % CHUNK_BITS);
    if (isFull(chunk)) {
      this.#chunks.set(index, FULL);
      this.#bytes += costOf(FULL) - CHUNK_BYTES;
    }
  }

  /** Moves the prefix over all that is contiguous, and drops the chunks below it. */
  #close(): void {
    for (;;) {
      const index = Math.floor(this.#prefix / CHUNK_BITS);
      const end = (index + 1) * CHUNK_BITS;
      const chunk = this.#chunks.get(index);
      if (chunk === undefined) return;
      if (chunk === FULL) this.#prefix = end;
      while (this.#prefix < end && hasBit(chunk, this.#prefix % CHUNK_BITS)) this.#prefix++;
      // A chunk stays only while it holds a bit above the prefix.
      if (this.#prefix < end && hasBitFrom(chunk, this.#prefix % CHUNK_BITS)) return;
      this.#drop(index);
      if (this.#prefix < end) return;
    }
  }

  #drop(index: number): void {
    const chunk = this.#chunks.get(index);
    if (chunk === undefined) return;
    this.#bytes -= costOf(chunk);
    this.#chunks.delete(index);
  }
}

function costOf(chunk: Uint32Array): number {
  return chunk === FULL ? 64 : CHUNK_BYTES;
}

function hasBit(chunk: Uint32Array, bit: number): boolean {
  return (((chunk[bit >>> 5] ?? 0) >>> (bit & 31)) & 1) === 1;
}

function hasBitFrom(chunk: Uint32Array, from: number): boolean {
  if (chunk === FULL) return false;
  const first = from >>> 5;
  if ((chunk[first] as number) >>> (from & 31) !== 0) return true;
  for (let word = first + 1; word < CHUNK_WORDS; word++) if (chunk[word] !== 0) return true;
  return false;
}

function isFull(chunk: Uint32Array): boolean {
  for (let word = 0; word < CHUNK_WORDS; word++) if (chunk[word] !== 0xffffffff) return false;
  return true;
}

function putBit(chunk: Uint32Array, bit: number): void {
  chunk[bit >>> 5] = (chunk[bit >>> 5] ?? 0) | (1 << (bit & 31));
}
