/** Cells: each key once, found in any order, whatever it looks like. */
import { expect, test } from "vitest";
import { Cells } from "../../src/state/cells.ts";
import { Random } from "../simulation/random.ts";

test("a key has one cell, and none before", () => {
  const cells = new Cells();
  expect(cells.get("a")).toBeUndefined();
  const a = cells.add("a");
  expect(a?.key).toBe("a");
  expect(cells.add("a")).toBeUndefined();
  expect(cells.get("a")).toBe(a);
  expect(cells.list).toEqual([a]);
});

test.each([1, 2, 3])("cells are found like in a map, in order and out of it (seed %i)", (seed) => {
  const random = new Random(seed);
  const odd = ["", "\0", "\0\0", "__proto__", "constructor", "\ud83d", "é"];
  const keys = [...odd, ...Array.from({ length: 2_000 }, (_, n) => `/k/${n}`)];
  const cells = new Cells();
  const named = Array.from({ length: 3_000 }, () => random.pick(keys));
  for (const key of named) cells.add(key);
  expect(cells.list.map(({ key }) => key)).toEqual([...new Set(named)]);
  for (const key of named) expect(cells.get(key)?.key).toBe(key);
  for (let n = 0; n < 3_000; n++) {
    const key = random.pick(keys);
    expect(cells.get(key)?.key).toBe(named.includes(key) ? key : undefined);
  }
});
