/** topResults: the largest of a window with all that tie, the last pane of each, whatever the grouping. */
import { expect, test } from "vitest";
import type { WindowResult } from "../../src/index.ts";
import { PlanError, topResults } from "../../src/index.ts";
import { Random } from "../simulation/random.ts";
import { eventsOf, expectSameInAnyGrouping, fold, resultOf } from "./grouping.ts";

type Result = WindowResult<number>;
const WINDOW = { start: 0, end: 1_000 };

function result(key: string, value: number, index = 0, window = WINDOW): Result {
  return { key, window, value, pane: { index, timing: index === 0 ? "on-time" : "late" } };
}

function keysOf(n: number, results: readonly Result[]): string[] {
  return resultOf(topResults(n), results).map(({ key }) => key);
}

test("has a signature of its own; its result is no number that grows", () => {
  expect([topResults(1).signature, topResults(1).growing ?? false]).toEqual(["top-results@1", false]);
});

test("the largest first, with the windows they are of", () => {
  const results = [result("a", 2), result("b", 7), result("c", 5)];
  expect(resultOf(topResults(2), results)).toEqual([
    { key: "b", window: WINDOW, value: 7 },
    { key: "c", window: WINDOW, value: 5 },
  ]);
  expect(resultOf(topResults(2), [])).toEqual([]);
});

test("all that tie with the last one are in, by key; what fewer than n are larger than is in", () => {
  const results = [result("d", 3), result("a", 3), result("c", 9), result("b", 3), result("e", 1)];
  expect(keysOf(1, results)).toEqual(["c"]);
  expect(keysOf(2, results)).toEqual(["c", "a", "b", "d"]);
  expect(keysOf(4, results)).toEqual(["c", "a", "b", "d"]);
  expect(keysOf(5, results)).toEqual(["c", "a", "b", "d", "e"]);
});

test("a later pane takes the place of an earlier one, in whatever order they come", () => {
  const panes = [result("a", 2), result("a", 4, 1), result("a", 6, 2), result("b", 5)];
  for (const results of [panes, panes.toReversed()]) {
    expect(resultOf(topResults(5), results).map(({ key, value }) => [key, value])).toEqual([
      ["a", 6],
      ["b", 5],
    ]);
  }
});

test("what was displaced comes back when it has grown", () => {
  expect(keysOf(1, [result("a", 2), result("b", 3), result("a", 4, 1)])).toEqual(["a"]);
});

test("two windows of a key, as sessions are, count by themselves", () => {
  const later = { start: 500, end: 900 };
  const results = [result("a", 2), result("a", 2, 0, later), result("b", 1)];
  expect(resultOf(topResults(1), results)).toEqual([
    { key: "a", window: later, value: 2 },
    { key: "a", window: WINDOW, value: 2 },
  ]);
});

test("the same in any grouping, as long as values grow, and as a plain sort finds it", () => {
  let refired = 0;
  for (let seed = 1; seed <= 100; seed++) {
    const random = new Random(seed);
    const n = random.int(1, 5);
    const last = new Map<string, Result>();
    const results = Array.from({ length: random.int(0, 120) }, () => {
      const key = `key-${random.int(0, 25)}`;
      const before = last.get(key);
      if (before !== undefined) refired++;
      const value = (before?.value ?? 0) + random.int(0, 3);
      const next = result(key, value, (before?.pane.index ?? -1) + 1);
      last.set(key, next);
      return next;
    });
    expectSameInAnyGrouping(topResults(n), eventsOf(results), random);
    const all = [...last.values()];
    const wanted = all
      .filter(({ value }) => all.filter((other) => other.value > value).length < n)
      .sort((a, b) => b.value - a.value || (a.key < b.key ? -1 : 1));
    expect(keysOf(n, results)).toEqual(wanted.map(({ key }) => key));
  }
  expect(refired).toBeGreaterThan(1_000);
});

test.each([
  ["a value that fell", { ...result("a", 3, 1), previous: 4 }, RangeError],
  ["a value that is no number", result("a", "4" as unknown as number), TypeError],
  ["an infinite value", result("a", Number.POSITIVE_INFINITY), TypeError],
])("refuses %s", (_, wrong, error) => {
  const aggregator = topResults(2);
  const held = fold(aggregator, eventsOf([result("a", 1)]));
  expect(() => aggregator.add(held, eventsOf([wrong])[0]!)).toThrow(error);
  expect(held).toEqual([["a", 1, 0, 0, 1_000]]);
});

test.each([0, 1.5, -1, Number.NaN])("the top %s is refused", (n) => {
  expect(() => topResults(n)).toThrow(PlanError);
});
