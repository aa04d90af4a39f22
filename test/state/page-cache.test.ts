/** PageCache: stays within its budget, and what was used last stays longest. */
import { expect, test } from "vitest";
import { PackedKeys } from "../../src/state/packed-keys.ts";
import { Page } from "../../src/state/page.ts";
import { PageCache } from "../../src/state/page-cache.ts";

const page = (key: string) => new Page(PackedKeys.of([key]), [1]);

test("the least recently used page goes first", () => {
  const cache = new PageCache(6);
  for (const id of ["a", "b", "c"]) cache.set(id, page(id), 2);
  cache.get("a");
  cache.set("d", page("d"), 2);
  expect(["a", "b", "c", "d"].map((id) => cache.get(id) !== undefined)).toEqual([true, false, true, true]);
  expect(cache.bytes).toBe(6);
});

test("a page that is set again is counted once, and a deleted one not at all", () => {
  const cache = new PageCache(1000);
  cache.set("a", page("a"), 20);
  const newer = page("b");
  cache.set("a", newer, 40);
  expect(cache.bytes).toBe(40);
  expect(cache.get("a")).toBe(newer);
  cache.delete("a");
  cache.delete("a");
  expect([cache.bytes, cache.get("a")]).toEqual([0, undefined]);
});

test("a page over the whole budget drops all others and is held alone", () => {
  const cache = new PageCache(6);
  cache.set("a", page("a"), 2);
  cache.set("big", page("big"), 200);
  expect(cache.get("a")).toBeUndefined();
  expect(cache.get("big")).toBeDefined();
  cache.set("b", page("b"), 2);
  expect(cache.get("big")).toBeUndefined();
  expect(cache.bytes).toBe(2);
});

test("entries that wait for a checkpoint take room from the pages, up to half of it; more is a crowd", () => {
  const cache = new PageCache(66);
  const holder = { heldBytes: 0, pinnedBytes: 0, pageBytes: 0 };
  cache.track("a", holder);
  for (const id of ["a", "b", "c"]) cache.set(id, page(id), 20);
  expect([cache.bytes, cache.crowded]).toEqual([60, false]);
  holder.heldBytes = 26;
  cache.set("d", page("d"), 20);
  expect([cache.bytes, cache.crowded]).toEqual([40, false]);
  holder.heldBytes = 1_000;
  cache.set("e", page("e"), 20);
  expect([cache.bytes, cache.crowded, cache.get("e") !== undefined]).toEqual([20, true, true]);
});

test("pages that wait for a checkpoint leave an eighth to the others; with the entries they are a crowd past the budget", () => {
  const cache = new PageCache(80);
  const holder = { heldBytes: 0, pinnedBytes: 60, pageBytes: 0 };
  cache.track("a", holder);
  for (const id of ["a", "b"]) cache.set(id, page(id), 10);
  expect([cache.bytes, cache.crowded]).toEqual([20, false]);
  expect([cache.mayPin(10), cache.mayPin(11)]).toEqual([true, false]);
  holder.pinnedBytes = 70;
  cache.set("c", page("c"), 10);
  expect([cache.bytes, cache.crowded, cache.mayPin(1)]).toEqual([10, false, false]);
  holder.heldBytes = 11;
  cache.set("d", page("d"), 10);
  expect([cache.bytes, cache.crowded]).toEqual([10, true]);
});

test("entries that keep pages out are a crowd where all pages would fit without them", () => {
  const cache = new PageCache(80);
  const holders = [
    { heldBytes: 0, pinnedBytes: 0, pageBytes: 30 },
    { heldBytes: 0, pinnedBytes: 0, pageBytes: 30 },
  ] as const;
  for (const [n, holder] of holders.entries()) cache.track(`${n}`, holder);
  const crowded = (heldBytes: number, pageBytes: number) => {
    Object.assign(holders[1], { heldBytes, pageBytes });
    return cache.crowded;
  };
  expect([crowded(20, 30), crowded(21, 30)]).toEqual([false, true]);
  // 70 of 80 may be pages; where there are more, they are read again and again in any case.
  expect([crowded(10, 40), crowded(11, 40), crowded(11, 41)]).toEqual([false, true, false]);
});

test("who comes back takes the place of what he was, which may not have been collected yet", () => {
  const cache = new PageCache(80);
  const before = { heldBytes: 30, pinnedBytes: 40, pageBytes: 40 };
  cache.track("shard/0", before);
  cache.track("shard/01", { heldBytes: 5, pinnedBytes: 0, pageBytes: 0 });
  for (const id of ["shard/0#1/7", "shard/01#2/7"]) cache.set(id, page(id), 5);
  expect([cache.mayPin(1), cache.bytes]).toEqual([false, 10]);
  cache.track("shard/0", { heldBytes: 0, pinnedBytes: 0, pageBytes: 0 });
  expect([cache.mayPin(65), cache.mayPin(66)]).toEqual([true, false]);
  expect([cache.bytes, cache.get("shard/0#1/7"), cache.get("shard/01#2/7") !== undefined]).toEqual([
    5,
    undefined,
    true,
  ]);
  // Until now it lived.
  expect(before.heldBytes).toBe(30);
});
