/** Interval join: the cases of Flink's `IntervalJoinOperatorTest`, and random streams against a plain recount. */
import { describe, expect, test } from "vitest";
import type { Interval } from "../../src/index.ts";
import { PlanError } from "../../src/index.ts";
import type { RandomElement } from "./random-steps.ts";
import { lateOf, randomSteps, recount, SEEDS, sortedSteps } from "./random-steps.ts";
import type { Element, Shape } from "./steps.ts";
import { begin, play, WAYS } from "./steps.ts";

const of =
  (interval: Interval): Shape<string> =>
  (left, right) => {
    const out = left.intervalJoin("joined", right, interval, (l, r) => `${l.name}-${r.name}`);
    return { out, late: out.late };
  };
const show = (data: string, time: number) => `${data}@${time}`;

/** Elements named after their times, 1 to 4, on both sides; pairs as `left-right`. Bounds are inclusive here: exclusive ones are moved by 1. */
const PAIRS: readonly (readonly [flink: string, lower: number, upper: number, pairs: string])[] = [
  ["[1, 3)", 1, 2, "1-2 1-3 2-3 2-4 3-4"],
  ["(-3, -1]", -2, -1, "2-1 3-1 3-2 4-2 4-3"],
  ["[-2, -1]", -2, -1, "2-1 3-1 3-2 4-2 4-3"],
  ["[-1, 1]", -1, 1, "1-1 1-2 2-1 2-2 2-3 3-2 3-3 3-4 4-3 4-4"],
  ["[1, 2]", 1, 2, "1-2 1-3 2-3 2-4 3-4"],
  ["(-3, -1)", -2, -2, "3-1 4-2"],
  ["(-1, 1)", 0, 0, "1-1 2-2 3-3 4-4"],
  ["(1, 3)", 2, 2, "1-3 2-4"],
];

describe.each(WAYS)("%s", (_, options) => {
  test.each(PAIRS)("right − left in %s, whichever side is ahead", async (_flink, lower, upper, pairs) => {
    for (const sides of [
      ["left", "right"],
      ["right", "left"],
    ] as const) {
      const { driver, results, lates } = begin(of({ lower, upper }), options);
      for (const side of sides) {
        for (const time of [1, 2, 3, 4]) {
          await driver.send(side, { key: "k", name: String(time), time });
          // A join's watermark is the smaller of both inputs: the side that is behind is on time.
          await driver.watermark(time, side);
        }
      }
      const heard = results.read();
      expect(heard.map(({ data }) => data).toSorted()).toEqual(pairs.split(" "));
      for (const { data, time } of heard) expect(time).toBe(Math.max(...data.split("-").map(Number)));
      expect(lates?.read()).toEqual([]);
    }
  });

  // Flink looks at what its buffers hold after W1 and W4 as well: it drops each time by itself. Here a few go together, later
  // than that; what could tell the difference is late.
  test.each([
    [-1, 0],
    [0, 1],
  ])("right − left in [%s, %s]: after W6 nothing is kept", async (lower, upper) => {
    const side = (name: string) => [1, 2, 3, 4, 5].map((time) => `${name}:e@${time}`).join(" ");
    const { driver } = await play(of({ lower, upper }), `${side("L")} ${side("R")} W1 W4`, options);
    expect(driver.stats("joined").keys).toBe(1);
    await driver.watermark(6);
    expect(driver.stats("joined").keys).toBe(0);
  });

  test("late elements of both sides are paired with nothing, and come out beside", async () => {
    const { steps } = await play(
      of({ lower: -1, upper: 1 }),
      "L:3@3 R:3@3 W3 L:4@4 R:4@4 L:1@1 R:2@2 L:5@5 R:5@5",
      options,
      show,
    );
    expect(steps).toEqual([
      ["R:3@3", "3-3@3"],
      ["L:4@4", "4-3@4"],
      ["R:4@4", "3-4@4", "4-4@4"],
      ["L:1@1", "late 1@1"],
      ["R:2@2", "late 2@2"],
      ["L:5@5", "5-4@5"],
      ["R:5@5", "4-5@5", "5-5@5"],
    ]);
  });

  test.each([
    [0, 100],
    [-7, 13],
    [4, 9],
    [-20, -6],
  ])("random streams, right − left in [%s, %s], equal a plain recount", async (lower, upper) => {
    for (const seed of SEEDS) {
      const steps = randomSteps(seed);
      const taken: RandomElement[] = [];
      const expected = recount(steps, {
        element(element, watermark) {
          if (element.time <= watermark) return [lateOf(element)];
          const pairs = taken
            .filter(({ side, key }) => side !== element.side && key === element.key)
            .map((other) => (element.side === "L" ? [element, other] : [other, element]))
            .filter(([l, r]) => r && l && r.time - l.time >= lower && r.time - l.time <= upper)
            .map(([l, r]) => `${l?.name}-${r?.name}@${Math.max(l?.time ?? 0, r?.time ?? 0)}`);
          taken.push(element);
          return pairs;
        },
      });
      const text = steps.map((step) => step.text).join(" ");
      const heard = await play(of({ lower, upper }), text, options, show);
      expect(sortedSteps(heard.steps), `seed ${seed}`).toEqual(expected);
      expect(heard.driver.stats("joined").keys).toBe(0);
    }
  });
});

test("a stream can be joined with itself", async () => {
  const { steps } = await play((left) => {
    const pair = (l: Element, r: Element) => `${l.name}-${r.name}`;
    const out = left.intervalJoin("joined", left, { lower: 1, upper: "5 ms" }, pair);
    return { out, late: out.late };
  }, "L:a@1 L:b@3 L:c@6 L:d@20");
  expect(steps).toEqual([
    ["L:b@3", '"a-b"@3'],
    ["L:c@6", '"a-c"@6', '"b-c"@6'],
  ]);
});

test("an interval without an end lasts until the stream ends", async () => {
  const { steps, driver } = await play(
    of({ lower: 0, upper: Number.MAX_SAFE_INTEGER }),
    "L:a@1 W1000000 R:b@1000001 Wend",
  );
  expect(steps).toEqual([["R:b@1000001", '"a-b"@1000001']]);
  expect(driver.stats("joined").keys).toBe(0);
});

test.each([
  [{ lower: 0.5, upper: 1 }, "lower is whole milliseconds, not 0.5"],
  [{ lower: "-0.5 ms", upper: 1 }, "lower is whole milliseconds, not -0.5 ms"],
  [{ lower: 0, upper: Number.POSITIVE_INFINITY }, "upper is whole milliseconds, not Infinity"],
  [{ lower: "--1 s", upper: 1 }, "lower: not a duration"],
  [{ lower: "-1 second", upper: "-2 seconds" }, "lower, -1000 ms, is above upper, -2000 ms"],
])("%j is no interval", async (interval, message) => {
  const planned = play(of(interval), "W0");
  await expect(planned).rejects.toThrow(PlanError);
  await expect(planned).rejects.toThrow(message);
});
