/** quantiles: within 1 % of the value at the rank, in the same bins whatever the grouping. */
import { describe, expect, test } from "vitest";
import { PlanError, quantiles } from "../../src/index.ts";
import { Random } from "../simulation/random.ts";
import { eventsOf, expectSameInAnyGrouping, fold, resultOf } from "./grouping.ts";
import { KNOWN_BINS, KNOWN_NUMBERS } from "./known-sketches.ts";

const OF = [0, 0.01, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1];
const aggregator = quantiles((value: number) => value, OF);
const middle = quantiles((value: number) => value, [0.5]);

/** What each quantile is compared with: the value at its rank. */
function exactly(values: readonly number[], quantile: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.floor(quantile * (values.length - 1))] as number;
}

function expectWithinOnePercent(values: readonly number[]): void {
  const results = Object.values(resultOf(aggregator, values));
  for (const [at, quantile] of OF.entries()) {
    const exact = exactly(values, quantile);
    const allowed = Math.abs(exact) * (0.01 + 1e-9);
    expect(Math.abs((results[at] as number) - exact), `p${quantile * 100}`).toBeLessThanOrEqual(allowed);
  }
}

test("has a signature of its own; its result is no number that grows", () => {
  expect([aggregator.signature, aggregator.growing ?? false]).toEqual(["quantiles@1", false]);
});

test("is named as people name percentiles", () => {
  const named = quantiles((value: number) => value, [0, 0.07, 0.5, 0.57, 0.999, 0.9999, 1]);
  expect(Object.keys(named.result(named.create()))).toEqual([
    "p0",
    "p7",
    "p50",
    "p57",
    "p99.9",
    "p99.99",
    "p100",
  ]);
});

test("of nothing is 0", () => {
  expect(middle.result(middle.create())).toEqual({ p50: 0 });
});

describe("within 1 % of the value at the rank", () => {
  const draws: readonly (readonly [string, (random: Random) => number])[] = [
    ["one value", () => 42],
    ["zeros", () => 0],
    ["small whole numbers", (random) => random.int(0, 5)],
    ["negative ones", (random) => -1 - 1000 * random.next()],
    ["both signs and zeros", (random) => random.pick([-1, 0, 1]) * random.int(0, 1000) * random.next()],
    ["times with a long tail", (random) => 1 / (1 - random.next()) ** 2],
    [
      "fifteen orders of magnitude",
      (random) => random.pick([-1, 1]) * 10 ** random.int(-7, 8) * random.next(),
    ],
    ["powers of two", (random) => 2 ** random.int(-20, 20)],
  ];

  test.each(draws)("%s", (_, draw) => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = new Random(seed);
      expectWithinOnePercent(Array.from({ length: random.int(1, 2000) }, () => draw(random)));
    }
  });

  test.each([5e-324, 1e-310, 1e-306, Number.MAX_VALUE, -Number.MAX_VALUE])(
    "of %s, a result that JSON holds",
    (value) => {
      const { p50 } = resultOf(middle, [value]);
      expect(Number.isFinite(p50)).toBe(true);
      expect(Math.abs((p50 as number) - value)).toBeLessThanOrEqual(
        Math.max(Math.abs(value) * 0.0101, 1e-306),
      );
    },
  );
});

test("any grouping and order gives the same", () => {
  for (let seed = 1; seed <= 50; seed++) {
    const random = new Random(seed);
    // Up to 600 orders of magnitude, so that bins collapse, before a merge, in it, or not at all.
    const width = random.pick([1, 5, 30, 300]);
    const values = Array.from(
      { length: random.int(0, 80) },
      () => random.pick([-1, 0, 1, 1]) * random.next() * 10 ** random.int(-width, width),
    );
    expectSameInAnyGrouping(aggregator, eventsOf(values), random);
  }
});

test("what is stored means the same for ever", () => {
  expect(fold(aggregator, eventsOf(KNOWN_NUMBERS))).toEqual(KNOWN_BINS);
});

test("stays small over forty orders of magnitude, and right in the larger half", () => {
  const random = new Random(3);
  const values = Array.from({ length: 60_000 }, () => 10 ** (random.next() * 40 - 20));
  const held = fold(aggregator, eventsOf(values));
  expect(held.positive[0].length).toBe(2048);
  expect(JSON.stringify(held).length).toBeLessThan(25_000);
  const results = aggregator.result(held);
  for (const quantile of [0.99, 0.999, 1]) {
    const exact = exactly(values, quantile);
    expect(Math.abs((results[`p${quantile * 100}`] as number) / exact - 1)).toBeLessThan(0.0101);
  }
  // What was collapsed is only known to be that small.
  expect(results.p50).toBeLessThan((results.p100 as number) / 1e17);
});

test.each([Number.NaN, Number.POSITIVE_INFINITY, undefined, null, "5", 5n])("refuses %s", (bad) => {
  const held = fold(middle, eventsOf([1, 0, -1]));
  const before = structuredClone(held);
  expect(() => middle.add(held, eventsOf([bad as number])[0]!)).toThrow(TypeError);
  expect(held).toEqual(before);
});

test.each([-0.1, 1.1, 50, Number.NaN])("%s is no quantile", (quantile) => {
  expect(() => quantiles((value: number) => value, [0.5, quantile])).toThrow(PlanError);
});
