/** Count windows: results over the last so many events of a key. */
import { describe, expect, test } from "vitest";
import type { WindowResult } from "../../src/index.ts";
import { Aggregate, countWindow, distinct, max, PlanError, sum } from "../../src/index.ts";
import type { Element, Shape } from "./steps.ts";
import { play, WAYS } from "./steps.ts";

const number = ({ name }: Element) => Number(name);
const of =
  (size: number, slide?: number): Shape<WindowResult<number>> =>
  (left) => ({ out: left.window(countWindow(size, slide)).aggregate("sums", sum<Element>(number)) });
const show = ({ value, window, pane }: WindowResult<number>, time: number) =>
  `${value} [${window.start},${window.end}) ${pane.index}@${time}`;

describe.each(WAYS)("%s", (_, options) => {
  test("tumbling: a result for every three events, none for what is left", async () => {
    const { steps, driver } = await play(
      of(3),
      "L:1@30 L:2@10 L:7@5#x L:3@20 L:4@1 L:5@2 L:6@0 L:8@9",
      options,
      show,
    );
    expect(steps).toEqual([
      ["L:3@20", "6 [10,31) 0@30"],
      ["L:6@0", "15 [0,3) 1@2"],
    ]);
    expect(driver.view("sums").get("k")).toBe(15);
    // A key without a result has nothing to show.
    expect(driver.view("sums").entries()).toEqual([{ key: "k", value: 15 }]);
  });

  test("sliding: every two events, over the last four", async () => {
    const { steps } = await play(of(4, 2), "L:1@1 L:2@2 L:3@3 L:4@4 L:5@5 L:6@6", options, show);
    expect(steps).toEqual([
      ["L:2@2", "3 [1,3) 0@2"],
      ["L:4@4", "10 [1,5) 1@4"],
      ["L:6@6", "18 [3,7) 2@6"],
    ]);
  });

  test("with gaps: the last one of every three", async () => {
    const shape: Shape<WindowResult<number>> = (left) => ({
      out: left.window(countWindow(1, 3)).aggregate("last", max<Element>(number)) as never,
    });
    const { steps } = await play(shape, "L:9@1 L:8@2 L:7@3 L:6@4 L:5@5 L:4@6", options, show);
    expect(steps).toEqual([
      ["L:7@3", "7 [3,4) 0@3"],
      ["L:4@6", "4 [6,7) 1@6"],
    ]);
  });
});

/** Every way in which size and slide can lie: multiples, common divisors, none, gaps. */
test.each([
  [1, 1],
  [7, 7],
  [6, 2],
  [6, 4],
  [5, 3],
  [4, 1],
  [2, 6],
  [3, 4],
])("countWindow(%s, %s) gives what the last events of a plain list give", async (size, slide) => {
  const shape: Shape<WindowResult<number>> = (left) => ({
    // Accumulators are changed in place: none may be shared by two windows.
    out: left.window(countWindow(size, slide)).aggregate(
      "names",
      distinct<Element>(({ name }) => name),
    ),
  });
  const elements = Array.from({ length: 40 }, (_, n) => ({
    name: String((n * n) % 11),
    time: (n * 17) % 41,
  }));
  const text = elements.map(({ name, time }) => `L:${name}@${time}`).join(" ");
  const { steps, driver } = await play(shape, text, { shards: 1 }, show);
  const expected = elements.flatMap((_, n) => {
    if ((n + 1) % slide !== 0) return [];
    const last = elements.slice(Math.max(0, n + 1 - size), n + 1);
    const times = last.map(({ time }) => time);
    const [start, end] = [Math.min(...times), Math.max(...times) + 1];
    const names = new Set(last.map(({ name }) => name)).size;
    return [`${names} [${start},${end}) ${(n + 1) / slide - 1}@${end - 1}`];
  });
  expect(steps.flatMap(([, ...given]) => given)).toEqual(expected);
  expect(driver.view("names").get("k")).toBe(Number(expected.at(-1)?.split(" ")[0]));
});

test("an aggregate of one's own; an event that it throws on is a dead letter and in no window", async () => {
  class Longest extends Aggregate<Element, number> {
    create = () => 0;
    add = (longest: number, { data }: { readonly data: Element }) => {
      if (data.name === "bad") throw new Error("bad element");
      return Math.max(longest, data.name.length);
    };
    merge = (a: number, b: number) => Math.max(a, b);
    result = (longest: number) => longest;
  }
  const { steps, driver } = await play(
    (left) => ({ out: left.window(countWindow(2)).applyOperator(new Longest("longest", { shards: 2 })) }),
    "L:a@1 L:bad@2 L:abc@3 L:ab@4",
    {},
    show,
  );
  expect(steps).toEqual([["L:abc@3", "3 [1,4) 0@3"]]);
  expect(driver.deadLetters()).toEqual([expect.objectContaining({ error: "bad element" })]);
});

test("a merge may take over what it is given and change it later: no window sees another one's", async () => {
  class Names extends Aggregate<Element, string[], string> {
    create = (): string[] => [];
    add = (names: string[], { data }: { readonly data: Element }) => {
      names.push(data.name);
      return names;
    };
    merge = (a: string[], b: string[]) => {
      if (a.length === 0) return b;
      a.push(...b);
      return a;
    };
    result = (names: string[]) => names.join("");
  }
  const { steps } = await play(
    (left) => ({ out: left.window(countWindow(6, 2)).applyOperator(new Names("names")) }),
    "L:a@1 L:b@2 L:c@3 L:d@4 L:e@5 L:f@6 L:g@7 L:h@8",
    {},
    ({ value }) => value,
  );
  expect(steps).toEqual([
    ["L:b@2", "ab"],
    ["L:d@4", "abcd"],
    ["L:f@6", "abcdef"],
    ["L:h@8", "cdefgh"],
  ]);
});

test.each([0, -1, 1.5, Number.NaN, 10_001])("%s is no size", (size) => {
  expect(() => countWindow(size)).toThrow(PlanError);
});
