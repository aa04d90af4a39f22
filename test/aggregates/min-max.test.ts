/** min and max: the extremes of what came, in any grouping, and nothing that JSON cannot hold. */
import { describe, expect, test } from "vitest";
import { max, min } from "../../src/index.ts";
import { Random } from "../simulation/random.ts";
import { eventsOf, expectSameInAnyGrouping, fold, resultOf } from "./grouping.ts";

const itself = (value: number) => value;

describe.each([
  ["min", min(itself), Math.min, false],
  ["max", max(itself), Math.max, true],
] as const)("%s", (name, aggregator, expected, growing) => {
  test("has a signature of its own and says whether it grows", () => {
    expect([aggregator.signature, aggregator.growing ?? false]).toEqual([`${name}@1`, growing]);
  });

  test.each([[[0]], [[-3]], [[5, 5]], [[-1, -2]], [[1e308, -1e308, 1e-308]]])("of %j", (values) => {
    expect(resultOf(aggregator, values)).toBe(expected(...values));
  });

  test("of nothing is empty, not infinite", () => {
    expect([aggregator.create(), aggregator.result(aggregator.create())]).toEqual([[], 0]);
  });

  test("any grouping and order gives the same", () => {
    for (let seed = 1; seed <= 50; seed++) {
      const random = new Random(seed);
      const values = Array.from({ length: random.int(0, 30) }, () => random.int(-10, 10) / 4);
      expectSameInAnyGrouping(aggregator, eventsOf(values), random);
      if (values.length > 0) expect(resultOf(aggregator, values)).toBe(expected(...values));
    }
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, undefined, null, "5", 5n])("refuses %s", (bad) => {
    const held = fold(aggregator, eventsOf([1, 2]));
    const before = structuredClone(held);
    expect(() => aggregator.add(held, eventsOf([bad as number])[0]!)).toThrow(TypeError);
    expect(held).toEqual(before);
  });
});
