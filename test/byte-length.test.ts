import { expect, test } from "vitest";
import { byteLength } from "../src/byte-length.ts";

const ROOM = 65_536;

test.each([
  ["nothing", ""],
  ["ASCII", "clicks"],
  ["two, three and four bytes", "é€😀"],
  ["half of a surrogate pair", "\ud83d."],
  ["what just fits the buffer", "x".repeat(ROOM)],
  ["what does not fit the buffer", "x".repeat(ROOM + 1)],
  ["what the buffer ends in the middle of", `x${"€".repeat(ROOM / 3)}😀`],
])("byteLength counts what an encoder writes: %s", (_, text) => {
  expect(byteLength(text)).toBe(new TextEncoder().encode(text).length);
});
