/** top: exact while its items fit, within the stated bounds when they do not, whatever the grouping. */
import { describe, expect, test } from "vitest";
import { PlanError, top } from "../../src/index.ts";
import { Random } from "../simulation/random.ts";
import { combineAtRandom, eventsOf, expectSameInAnyGrouping, fold, resultOf, viaJson } from "./grouping.ts";

type Sale = readonly [item: string, weight: number];
const item = ([name]: Sale) => name;
const weight = ([, units]: Sale) => units;
const itself = (name: string) => name;

/** All items by count and then name, counted plainly. */
function counted(sales: readonly Sale[]): { item: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const [name, units] of sales) counts.set(name, (counts.get(name) ?? 0) + units);
  return [...counts]
    .map(([name, count]) => ({ item: name, count }))
    .sort((a, b) => b.count - a.count || (a.item < b.item ? -1 : 1));
}

/** A few items that are frequent and many that are rare. */
function salesOf(random: Random, items: number): Sale[] {
  return Array.from({ length: random.int(0, 400) }, () => [
    `item-${Math.floor(items * random.next() ** 3)}`,
    random.int(1, 5),
  ]);
}

test("has a signature of its own; its result is no number that grows", () => {
  expect([top(1, itself).signature, top(1, itself).growing ?? false]).toEqual(["top@1", false]);
});

test("the largest counts first, ties by item, at most n", () => {
  const sold = ["pear", "fig", "apple", "fig", "pear", "kiwi", "fig"];
  expect(resultOf(top(3, itself), sold)).toEqual([
    { item: "fig", count: 3 },
    { item: "pear", count: 2 },
    { item: "apple", count: 1 },
  ]);
  expect(resultOf(top(3, itself), [])).toEqual([]);
  expect(resultOf(top(3, itself), ["", "__proto__"])).toEqual([
    { item: "", count: 1 },
    { item: "__proto__", count: 1 },
  ]);
});

test("counts weights, and nothing for none", () => {
  const sold: Sale[] = [["a", 2], ["b", 5], ["a", 4], ["c", 0]]; // biome-ignore format: a table
  expect(resultOf(top(3, item, { weight }), sold)).toEqual([
    { item: "a", count: 6 },
    { item: "b", count: 5 },
  ]);
});

test("exact and the same in any grouping while the items fit", () => {
  const aggregator = top(5, item, { weight, capacity: 40 });
  for (let seed = 1; seed <= 50; seed++) {
    const random = new Random(seed);
    const sales = salesOf(random, 40);
    expectSameInAnyGrouping(aggregator, eventsOf(sales), random);
    expect(resultOf(aggregator, sales)).toEqual(counted(sales).slice(0, 5));
  }
});

describe("with more items than fit", () => {
  const capacity = 12;
  const aggregator = top(capacity, item, { weight, capacity });

  test("the largest count that does not fit is taken off every item", () => {
    const two = top(2, item, { weight, capacity: 2 });
    const held = fold(two, eventsOf<Sale>([["a", 5], ["b", 3], ["c", 2]])); // biome-ignore format: a table
    expect(held).toEqual([["a", "b"], [3, 1]]); // biome-ignore format: a table
    expect(two.merge(held, [["c", "d"], [1, 1]])).toEqual([["a"], [2]]); // biome-ignore format: a table
  });

  test("no count is too high or too low by more than the bound, in any grouping", () => {
    let pruned = 0;
    for (let seed = 1; seed <= 200; seed++) {
      const random = new Random(seed);
      const sales = salesOf(random, 60);
      const total = sales.reduce((sum, [, units]) => sum + units, 0);
      const held = combineAtRandom(aggregator, eventsOf(sales), random);
      const found = new Map(aggregator.result(held).map(({ item, count }) => [item, count]));
      expect(held[0].length).toBeLessThanOrEqual(capacity);
      for (const { item, count } of counted(sales)) {
        const estimate = found.get(item) ?? 0;
        expect(estimate).toBeLessThanOrEqual(count);
        expect(count - estimate).toBeLessThanOrEqual(total / (capacity + 1));
        if (estimate < count) pruned++;
      }
    }
    expect(pruned).toBeGreaterThan(1000);
  });

  test("merging stays commutative, and adding stays merging one event", () => {
    for (let seed = 1; seed <= 100; seed++) {
      const random = new Random(seed);
      const [left, right] = [salesOf(random, 60), salesOf(random, 60)].map((sales) =>
        fold(aggregator, eventsOf(sales)),
      ) as [ReturnType<typeof aggregator.create>, ReturnType<typeof aggregator.create>];
      expect(aggregator.merge(viaJson(left), right)).toEqual(aggregator.merge(viaJson(right), left));
      const [event] = eventsOf<Sale>([["new", random.int(1, 9)]]);
      const one = aggregator.add(aggregator.create(), event!);
      expect(aggregator.add(viaJson(left), event!)).toEqual(aggregator.merge(viaJson(left), one));
      expect(aggregator.merge(aggregator.create(), left)).toEqual(left);
    }
  });
});

test.each([
  ["an item that is no string", [5, 1], TypeError],
  ["no item", [undefined, 1], TypeError],
  ["a weight that is no number", ["a", "1"], TypeError],
  ["an infinite weight", ["a", Number.POSITIVE_INFINITY], TypeError],
  ["a negative weight", ["a", -1], RangeError],
])("refuses %s", (_, sale, error) => {
  const aggregator = top(3, item, { weight });
  const held = fold(aggregator, eventsOf<Sale>([["a", 1]]));
  expect(() => aggregator.add(held, eventsOf([sale as unknown as Sale])[0]!)).toThrow(error);
  expect(held).toEqual([["a"], [1]]);
});

test.each([
  [0, 10],
  [1.5, 10],
  [11, 10],
  [1001, undefined],
])("top %s of at most %s items is refused", (n, capacity) => {
  expect(() => top(n, itself, capacity === undefined ? {} : { capacity })).toThrow(PlanError);
});
