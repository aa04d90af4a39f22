/** Bytes: what the writer writes, the reader reads; what ends too early is an error and not a number. */
import { expect, test } from "vitest";
import { StateError } from "../../src/errors.ts";
import { ByteReader, ByteWriter } from "../../src/state/bytes.ts";

const numbers = [
  0,
  1,
  127,
  128,
  16_383,
  16_384,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 32 + 1,
  2 ** 49,
  Number.MAX_SAFE_INTEGER,
];

test("numbers come back, however large", () => {
  const writer = new ByteWriter();
  for (const number of numbers) writer.varint(number);
  for (const word of [0, 1, 0x80000000, 0xffffffff]) writer.uint32(word);
  const reader = new ByteReader(writer.finish());
  expect(numbers.map(() => reader.varint())).toEqual(numbers);
  expect([1, 2, 3, 4].map(() => reader.uint32())).toEqual([0, 1, 0x80000000, 0xffffffff]);
  expect(() => reader.varint()).toThrow(StateError);
});

test("texts come back, longer than the first buffer too", () => {
  const texts = ["", "a", "\ufeffa", "é😀\0", "x".repeat(5000)];
  const writer = new ByteWriter();
  for (const text of texts) writer.string(text);
  writer.hex("00ff10");
  const reader = new ByteReader(writer.finish());
  expect(texts.map(() => reader.string())).toEqual(texts);
  expect(reader.hex(3)).toBe("00ff10");
});

test("what was finished does not change when more is written", () => {
  const writer = new ByteWriter();
  writer.varint(1);
  const first = writer.finish();
  writer.varint(2);
  expect([...first]).toEqual([1]);
  expect([...writer.finish()]).toEqual([1, 2]);
});

test("bytes that end too early are an error", () => {
  const writer = new ByteWriter();
  writer.string("hello");
  const bytes = writer.finish();
  for (let length = 0; length < bytes.length; length++) {
    expect(() => new ByteReader(bytes.slice(0, length)).string()).toThrow(StateError);
  }
  expect(() => new ByteReader(new Uint8Array([0x80])).varint()).toThrow(StateError);
  expect(() => new ByteReader(new Uint8Array(3)).uint32()).toThrow(StateError);
  expect(() => new ByteReader(new Uint8Array(3)).hex(4)).toThrow(StateError);
});
