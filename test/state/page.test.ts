/** Page: what is written is read, in every format that there has been. */
import { describe, expect, test } from "vitest";
import { StateError } from "../../src/errors.ts";
import { PackedKeys } from "../../src/state/packed-keys.ts";
import { packValues, unpackValues } from "../../src/state/packed-values.ts";
import { Page } from "../../src/state/page.ts";

const encoder = new TextEncoder();

const KEYS = ["", "/a", "/b", '/"quoted"', "/é", "/\ud83d"].sort();

const LISTS: [string, unknown[]][] = [
  ["whole numbers", [0, 1, 127, 128, 2 ** 31, Number.MAX_SAFE_INTEGER]],
  ["other numbers", [1, -1, 0.5, 2 ** 60, -0, 7]],
  ["anything", [1, "two", [3], { four: 5 }, null, true]],
  ["none", []],
];

test.each(LISTS)("values come back: %s", (_name, values) => {
  expect(unpackValues(packValues(values))).toEqual(JSON.parse(JSON.stringify(values)));
});

test("whole numbers take less than in JSON, also when there are more than ever before", () => {
  const counts = Array.from({ length: 30_000 }, (_, n) => n % 128);
  expect(packValues(counts).length).toBe(counts.length + 1);
  expect(unpackValues(packValues(counts))).toEqual(counts);
});

describe.each(LISTS.filter(([, values]) => values.length > 0))("%s", (_name, values) => {
  const page = new Page(PackedKeys.of(KEYS), values);
  const stored = JSON.parse(JSON.stringify(values));

  test("a page comes back", () => {
    const again = Page.decode(page.encode());
    expect([again.keys.list(), again.values]).toEqual([KEYS, stored]);
    expect(again.bytes).toBe(page.bytes);
    expect(again.encode()).toEqual(page.encode());
  });

  test("a page of the first format comes back, and is written in this one", () => {
    const first = Page.decode(encoder.encode(JSON.stringify([KEYS, values])));
    expect([first.keys.list(), first.values]).toEqual([KEYS, stored]);
    expect(first.encode()).toEqual(page.encode());
  });

  test("values that were written later count instead, packed or as JSON", () => {
    const later = [9, 8, 7, 6, 5, 4];
    const old = encoder.encode(JSON.stringify([KEYS, values]));
    for (const data of [old, page.encode()])
      for (const newer of [packValues(later), encoder.encode(JSON.stringify(later))])
        expect(Page.decode(data, newer).values).toEqual(later);
  });
});

test("a page that ends too early, or is of a format of the future, is refused", () => {
  const data = new Page(PackedKeys.of(["/a", "/b"]), [1, 2]).encode();
  for (let length = 0; length < data.length; length++)
    expect(() => Page.decode(data.slice(0, length))).toThrow(StateError);
  expect(() => Page.decode(Uint8Array.of(3, ...data.slice(1)))).toThrow(/format 3; this code knows 2/);
});
