/** The aggregates keep their obligations: any grouping gives the same result, and accumulators are JSON. */
import { describe, expect, test } from "vitest";
import type { Aggregator, Event } from "../../src/index.ts";
import { average, count, sum } from "../../src/index.ts";
import { Random } from "../simulation/random.ts";

type Sample = { readonly value: number };
const event = (value: number): Event<Sample> => ({ id: "1", time: 0, key: "k", data: { value } });
const value = (sample: Sample) => sample.value;

const cases: readonly (readonly [
  name: string,
  aggregator: Aggregator<Sample, unknown, number>,
  expected: (values: readonly number[]) => number,
  growing: boolean,
])[] = [
  ["count", count() as Aggregator<Sample, unknown, number>, (values) => values.length, true],
  [
    "sum",
    sum(value) as Aggregator<Sample, unknown, number>,
    (values) => values.reduce((a, b) => a + b, 0),
    false,
  ],
  [
    "average",
    average(value) as Aggregator<Sample, unknown, number>,
    (values) => (values.length === 0 ? 0 : values.reduce((a, b) => a + b, 0) / values.length),
    false,
  ],
];

describe.each(cases)("%s", (name, aggregator, expected, growing) => {
  const fold = (values: readonly number[]) =>
    values.reduce((acc, one) => aggregator.add(acc, event(one)), aggregator.create());

  test("has a signature of its own and says whether it grows", () => {
    expect([aggregator.signature, aggregator.growing ?? false]).toEqual([`${name}@1`, growing]);
  });

  test("of nothing, one and many", () => {
    for (const values of [[], [0], [-3], [1, 2, 3, 4]])
      expect(aggregator.result(fold(values))).toBe(expected(values));
  });

  test("any grouping and order gives the same", () => {
    for (let seed = 1; seed <= 50; seed++) {
      const random = new Random(seed);
      const values = Array.from({ length: random.int(0, 30) }, () => random.int(-100, 100));
      let partials = random.shuffle(values).map((one) => aggregator.add(aggregator.create(), event(one)));
      while (partials.length > 1) {
        const at = random.int(0, partials.length - 2);
        const [left, right] = partials.splice(at, 2);
        partials.push(JSON.parse(JSON.stringify(aggregator.merge(left, right))));
        partials = random.shuffle(partials);
      }
      const [all = aggregator.create()] = partials;
      expect(aggregator.result(all)).toBe(expected(values));
      expect(aggregator.merge(aggregator.create(), all)).toEqual(all);
      expect(aggregator.merge(all, aggregator.create())).toEqual(all);
    }
  });

  test("merge leaves its second argument as it is", () => {
    const right = fold([5, 6]);
    const before = structuredClone(right);
    aggregator.merge(fold([1]), right);
    expect(right).toEqual(before);
  });
});

test.each([Number.NaN, Number.POSITIVE_INFINITY, undefined, null, "5", 5n])(
  "sum and average refuse %s instead of spoiling a key",
  (bad) => {
    for (const aggregator of [sum(value), average(value)] as Aggregator<Sample, unknown, number>[]) {
      expect(() => aggregator.add(aggregator.create(), event(bad as number))).toThrow(TypeError);
    }
  },
);
