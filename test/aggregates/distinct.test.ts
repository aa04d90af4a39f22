/** distinct: exact whatever the grouping, and a key that is full stays as it is. */
import { describe, expect, test } from "vitest";
import { distinct, PlanError } from "../../src/index.ts";
import { Random } from "../simulation/random.ts";
import { eventsOf, expectSameInAnyGrouping, fold, resultOf } from "./grouping.ts";

const itself = (value: number | string) => value;
const exact = distinct(itself);

test("has a signature of its own and grows", () => {
  expect([exact.signature, exact.growing]).toEqual(["distinct@1", true]);
});

test.each([
  [[], 0],
  [["a", "a", "a"], 1],
  [["", " "], 2],
  [[1, "1", 1.5, "1.5", 1], 4],
  [[0, -0], 1],
  [["__proto__", "constructor", "__proto__"], 2],
  [["ä", "a\u0308", "\ud800", "\u0000"], 4],
] as const)("of %j", (values, expected) => {
  expect(resultOf(exact, values)).toBe(expected);
});

test("any grouping and order gives the same", () => {
  for (let seed = 1; seed <= 50; seed++) {
    const random = new Random(seed);
    const values = Array.from({ length: random.int(0, 60) }, () =>
      random.chance(0.5) ? random.int(-15, 15) : random.hex(1),
    );
    expectSameInAnyGrouping(exact, eventsOf(values), random);
    expect(resultOf(exact, values)).toBe(new Set(values).size);
  }
});

test.each([Number.NaN, Number.NEGATIVE_INFINITY, undefined, null, true, 5n, {}])("refuses %s", (bad) => {
  expect(() => resultOf(exact, [bad as number])).toThrow(TypeError);
});

describe("a limit", () => {
  const three = distinct(itself, { limit: 3 });
  const full = fold(three, eventsOf(["a", "b", "c"]));

  test("of 10,000 unless said otherwise", () => {
    const values = Array.from({ length: 10_001 }, (_, at) => at);
    expect(resultOf(exact, values.slice(1))).toBe(10_000);
    expect(() => resultOf(exact, values)).toThrow(RangeError);
  });

  test("lets a full key see its own values again", () => {
    expect(three.result(three.add(structuredClone(full), eventsOf(["b"])[0]!))).toBe(3);
    expect(three.merge(structuredClone(full), ["a", "c"])).toEqual(full);
  });

  test("is an error in add and in merge, which points elsewhere and leaves the key as it was", () => {
    const held = structuredClone(full);
    expect(() => three.add(held, eventsOf(["d"])[0]!)).toThrow(/^4 distinct .* limit is 3 .*approxDistinct/);
    expect(() => three.merge(held, ["c", "d", "e"])).toThrow(RangeError);
    expect(held).toEqual(full);
  });

  test("that was lowered keeps what a key has", () => {
    const two = distinct(itself, { limit: 2 });
    expect(two.merge(structuredClone(full), ["a"])).toEqual(full);
    expect(() => two.merge(structuredClone(full), ["d"])).toThrow(RangeError);
  });

  test.each([0, -1, 1.5, Number.NaN])("of %s is refused", (limit) => {
    expect(() => distinct(itself, { limit })).toThrow(PlanError);
  });
});
