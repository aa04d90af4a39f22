/** The stateless operators: what they emit for an event, and nothing else. */
import { describe, expect, test } from "vitest";
import type { Event, Operator } from "../../src/index.ts";
import { FilterOperator } from "../../src/operators/filter.ts";
import { FlatMapOperator } from "../../src/operators/flat-map.ts";
import { MapOperator } from "../../src/operators/map.ts";
import { PeekOperator } from "../../src/operators/peek.ts";
import { SplitOperator } from "../../src/operators/split.ts";

const event: Event<number> = { id: "e", time: 7, data: 3 };

function emitted<Out>(operator: Operator<number, Out>, one = event): Out[] {
  const out: Out[] = [];
  operator.apply(
    one,
    { emitTo: () => expect.unreachable(), emit: (data) => out.push(data) },
    { operator: operator.name },
  );
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
    { emitTo: () => expect.unreachable(), emit: (one) => out.push(one) },
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

test("peek shows the event and passes the same data on, whatever its function returns", () => {
  const shown: unknown[] = [];
  expect(emitted(new PeekOperator<number>("p", (data, { time }) => shown.push([data, time])))).toEqual([3]);
  expect(shown).toEqual([[3, 7]]);
});

describe("split", () => {
  /** `[output, data]`, where undefined is the main output. */
  function split(branches: ConstructorParameters<typeof SplitOperator<number>>[1], data = 3): unknown[] {
    const out: unknown[] = [];
    new SplitOperator<number>("s", branches).apply(
      { ...event, data },
      { emit: (one) => out.push([undefined, one]), emitTo: (output, one) => out.push([output, one]) },
    );
    return out;
  }

  test("sends an event to the first branch that takes it, in the order in which they are written", () => {
    const asked: string[] = [];
    const takes = (name: string, answer: boolean) => () => {
      asked.push(name);
      return answer;
    };
    expect(split({ z: takes("z", false), b: takes("b", true), a: takes("a", true) })).toEqual([["b", 3]]);
    expect(asked).toEqual(["z", "b"]);
  });

  test("sends what no branch takes on, also what a branch is only in favour of", () => {
    expect(split({})).toEqual([[undefined, 3]]);
    expect(split({ a: () => false })).toEqual([[undefined, 3]]);
    expect(split({ a: () => 1 as never })).toEqual([[undefined, 3]]);
  });

  test("predicates see the event", () => {
    expect(split({ late: (data, { time }) => time > data })).toEqual([["late", 3]]);
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
    new PeekOperator<number>("p", fail),
    new SplitOperator<number>("s", { a: fail }),
  ]) {
    expect(() => emitted(operator as Operator<number, number>)).toThrow("no");
  }
});
