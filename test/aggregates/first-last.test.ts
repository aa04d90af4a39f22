/** first and last: by event time, whatever order events arrive in, and the same in any grouping even on ties. */
import { describe, expect, test } from "vitest";
import type { Event } from "../../src/index.ts";
import { first, last } from "../../src/index.ts";
import { Random } from "../simulation/random.ts";
import { combineAtRandom, expectSameInAnyGrouping, fold } from "./grouping.ts";

const at = (time: number, id: string, data: string): Event<string> => ({ time, id, key: "k", data });
const itself = (data: string) => data;
const cases = [
  ["first", first(itself)],
  ["last", last(itself)],
] as const;

test("events out of order: time decides, not arrival", () => {
  const events = [at(20, "a", "middle"), at(30, "b", "late"), at(10, "c", "early"), at(25, "d", "other")];
  expect(cases.map(([, aggregator]) => aggregator.result(fold(aggregator, events)))).toEqual([
    "early",
    "late",
  ]);
});

test("events of one time: their ids decide", () => {
  const events = [at(5, "m", "M"), at(5, "z", "Z"), at(5, "a", "A"), at(5, "k", "K")];
  expect(cases.map(([, aggregator]) => aggregator.result(fold(aggregator, events)))).toEqual(["A", "Z"]);
});

test("what one event was split into shares its time and id: the values decide", () => {
  for (const order of [
    ["x", "y"],
    ["y", "x"],
  ]) {
    const events = order.map((data) => at(5, "same", data));
    expect(cases.map(([, aggregator]) => aggregator.result(fold(aggregator, events)))).toEqual(["x", "y"]);
  }
});

test("times may be negative and zero, and ids compare as text", () => {
  const events = [at(0, "10", "zero, 10"), at(0, "9", "zero, 9"), at(-5, "1", "before 1970")];
  expect(cases.map(([, aggregator]) => aggregator.result(fold(aggregator, events)))).toEqual([
    "before 1970",
    "zero, 9",
  ]);
});

test("the value may be any JSON and sees the whole event", () => {
  const aggregator = last((data: string, event) => ({ data, at: event.time, key: event.key, none: null }));
  const held = combineAtRandom(aggregator, [at(1, "a", "A"), at(2, "b", "B")], new Random(1));
  expect(aggregator.result(held)).toEqual({ data: "B", at: 2, key: "k", none: null });
});

describe.each(cases)("%s", (name, aggregator) => {
  test("has a signature of its own; its result is no number that grows", () => {
    expect([aggregator.signature, aggregator.growing ?? false]).toEqual([`${name}@1`, false]);
  });

  test("of nothing is empty", () => {
    expect([aggregator.create(), aggregator.result(aggregator.create())]).toEqual([[], null]);
  });

  test("any grouping and order gives the same, with many ties", () => {
    for (let seed = 1; seed <= 100; seed++) {
      const random = new Random(seed);
      const events = Array.from({ length: random.int(0, 25) }, () =>
        at(random.int(-2, 2), random.hex(1), random.hex(1)),
      );
      expectSameInAnyGrouping(aggregator, events, random);
    }
  });
});
