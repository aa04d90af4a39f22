/** Bytes: a small writer and reader of varints, strings and hex, for state that is kept as blobs. */
import { StateError } from "../errors.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class ByteWriter {
  #bytes = new Uint8Array(1024);
  #length = 0;

  /** A whole number from 0 to 2^53 − 1, seven bits a byte, low bits first (LEB128). */
  varint(value: number): void {
    this.#room(8);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
  }

  uint32(value: number): void {
    this.#room(4);
    for (let shift = 0; shift < 32; shift += 8) this.#bytes[this.#length++] = (value >>> shift) & 0xff;
  }

  string(text: string): void {
    const bytes = encoder.encode(text);
    this.varint(bytes.length);
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
    const length = this.varint();
    if (this.#at + length > this.bytes.length) throw new StateError("stored bytes end too early");
    this.#at += length;
    return decoder.decode(this.bytes.subarray(this.#at - length, this.#at));
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
