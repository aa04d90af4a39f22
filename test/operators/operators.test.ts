/** The stateless operators: what they emit for an event, and nothing else. */
import { describe, expect, test } from "vitest";
import type { Event, Operator } from "../../src/index.ts";
import { FilterOperator } from "../../src/operators/filter.ts";
import { FlatMapOperator } from "../../src/operators/flat-map.ts";
import { MapOperator } from "../../src/operators/map.ts";

const event: Event<number> = { id: "e", time: 7, data: 3 };

function emitted<Out>(operator: Operator<number, Out>, one = event): Out[] {
  const out: Out[] = [];
  operator.apply(one, { emit: (data) => out.push(data) }, { operator: operator.name });
  return out;
}

test("map emits one, whatever it is, and sees the event", () => {
  expect(emitted(new MapOperator("m", (data: number, { time }) => [data, time]))).toEqual([[3, 7]]);
  for (const value of [undefined, null, false, 0, ""])
    expect(emitted(new MapOperator("m", () => value))).toEqual([value]);
});

test("filter emits the same data or none", () => {
  const data = { n: 1 };
  const out: unknown[] = [];
  new FilterOperator<typeof data>("f", ({ n }) => n === 1).apply(
    { ...event, data },
    { emit: (one) => out.push(one) },
  );
  expect(out[0]).toBe(data);
  expect(emitted(new FilterOperator<number>("f", (n, { time }) => n + time > 10))).toEqual([]);
});

describe("flatMap", () => {
  test("emits none, one or several, from any iterable, in order", () => {
    for (const iterable of [[], [1], [1, 2, 3], new Set([2, 1]), "ab"] as Iterable<unknown>[]) {
      expect(emitted(new FlatMapOperator("f", () => iterable))).toEqual([...iterable]);
    }
    expect(
      emitted(
        new FlatMapOperator("f", function* (n: number) {
          yield n;
          yield n + 1;
        }),
      ),
    ).toEqual([3, 4]);
  });

  test("throws for what is no iterable", () => {
    expect(() => emitted(new FlatMapOperator("f", () => undefined as never))).toThrow(TypeError);
  });
});

test("what a function throws comes out", () => {
  const fail = () => {
    throw new Error("no");
  };
  for (const operator of [
    new MapOperator<number, number>("m", fail),
    new FilterOperator<number>("f", fail),
    new FlatMapOperator<number, number>("x", fail),
  ]) {
    expect(() => emitted(operator as Operator<number, number>)).toThrow("no");
  }
});
