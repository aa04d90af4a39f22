/** Cursors: any string survives, and garbage is told from what was given out. */
import { expect, test } from "vitest";
import { decodeCursor, encodeCursor } from "../../src/cloudflare/query/cursor.ts";

const texts = [
  "",
  "a",
  "/home",
  "\0",
  "a\0b",
  "😀",
  "\ud83d",
  "\ude00x",
  '"',
  "__proto__",
  "ÿ\uffff",
  "x".repeat(2048),
];

test.each(texts)("%j survives", (text) => {
  const cursor = encodeCursor(text);
  expect(cursor).toMatch(/^[A-Za-z0-9_-]*$/);
  expect(decodeCursor(cursor)).toBe(text);
});

test("what was not given out is no cursor", () => {
  for (const garbage of ["A", "YQ", "YWI=", "YW-", "!", " ", "é", "YR", "\0", "AAB", "%00", "YQB"]) {
    expect(decodeCursor(garbage), garbage).toBeUndefined();
  }
});

test("random garbage decodes to itself or not at all", () => {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/. %";
  let state = 1;
  const random = () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
  for (let i = 0; i < 2000; i++) {
    const length = Math.floor(random() * 12);
    const cursor = Array.from({ length }, () => alphabet[Math.floor(random() * alphabet.length)]).join("");
    const text = decodeCursor(cursor);
    if (text !== undefined) expect(encodeCursor(text)).toBe(cursor);
  }
});
