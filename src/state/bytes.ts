/** Bytes: a small writer and reader of varints, strings and hex, for state that is kept as blobs. */
import { StateError } from "../errors.ts";

const encoder = new TextEncoder();
/** A text may begin with what elsewhere marks the order of bytes. */
const decoder = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });

const MAX_INT32 = 2 ** 31 - 1;

/** The most that a varint takes. */
export const VARINT_BYTES = 8;

/** Writes what `ByteWriter.varint` does, at `at`. @returns where the next goes. */
export function putVarint(bytes: Uint8Array, at: number, value: number): number {
  let next = at;
  let rest = value;
  for (; rest > MAX_INT32; rest = Math.floor(rest / 0x80)) bytes[next++] = (rest % 0x80) | 0x80;
  // Most are small, and then there is nothing to divide.
  for (; rest >= 0x80; rest >>>= 7) bytes[next++] = (rest & 0x7f) | 0x80;
  bytes[next] = rest;
  return next + 1;
}

export class ByteWriter {
  #bytes: Uint8Array;
  #length = 0;

  /** @param expected bytes, about. */
  constructor(expected = 1024) {
    this.#bytes = new Uint8Array(expected);
  }

  /** A whole number from 0 to 2^53 − 1, seven bits a byte, low bits first (LEB128). */
  varint(value: number): void {
    this.#room(VARINT_BYTES);
    this.#length = putVarint(this.#bytes, this.#length, value);
  }

  uint32(value: number): void {
    this.#room(4);
    for (let shift = 0; shift < 32; shift += 8) this.#bytes[this.#length++] = (value >>> shift) & 0xff;
  }

  string(text: string): void {
    const bytes = encoder.encode(text);
    this.varint(bytes.length);
    this.bytes(bytes);
  }

  /** As they are; the reader must know how many. */
  bytes(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Hex digits as half as many bytes; the reader must know how many. */
  hex(digits: string): void {
    this.#room(digits.length / 2);
    for (let i = 0; i < digits.length; i += 2) {
      this.#bytes[this.#length++] = Number.parseInt(digits.slice(i, i + 2), 16);
    }
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #room(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}

/** Reads what ByteWriter wrote. Each method throws a StateError at the end of the bytes. */
export class ByteReader {
  #at = 0;

  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.bytes.length;
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.#next();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  uint32(): number {
    return (this.#next() | (this.#next() << 8) | (this.#next() << 16) | (this.#next() << 24)) >>> 0;
  }

  string(): string {
    return decoder.decode(this.take(this.varint()));
  }

  /** So many bytes as they are, which are not copied. */
  take(length: number): Uint8Array {
    if (this.#at + length > this.bytes.length) throw new StateError("stored bytes end too early");
    this.#at += length;
    return this.bytes.subarray(this.#at - length, this.#at);
  }

  /** All that are left. */
  rest(): Uint8Array {
    return this.take(this.bytes.length - this.#at);
  }

  hex(bytes: number): string {
    let digits = "";
    for (let i = 0; i < bytes; i++) digits += this.#next().toString(16).padStart(2, "0");
    return digits;
  }

  #next(): number {
    const byte = this.bytes[this.#at++];
    if (byte === undefined) throw new StateError("stored bytes end too early");
    return byte;
  }
}
