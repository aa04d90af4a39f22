/** Triggers and options of windows: what is refused, and what the engine reads. */
import { describe, expect, test } from "vitest";
import { PlanError } from "../../src/errors.ts";
import type { WindowOptions } from "../../src/index.ts";
import { afterCount, countWindow, eachEvent, every, session, tumbling } from "../../src/index.ts";
import { cover, touches } from "../../src/windows/session.ts";
import { rulesOf } from "../../src/windows/trigger.ts";

test("triggers", () => {
  expect(every("10 minutes")).toEqual({ kind: "every", ms: 600_000 });
  expect(afterCount(3)).toEqual({ kind: "count", n: 3 });
  expect(eachEvent()).toEqual(afterCount(1));
  for (const n of [0, -1, 1.5, Number.NaN]) expect(() => afterCount(n)).toThrow(PlanError);
  for (const span of [0, -5, "now"]) expect(() => every(span)).toThrow(PlanError);
});

describe("options", () => {
  test("have defaults: nothing early, nothing late, a day in the view", () => {
    expect(rulesOf(tumbling(1), {})).toEqual({
      lateness: 0,
      early: undefined,
      late: undefined,
      discarding: false,
      retention: 86_400_000,
    });
  });

  test("are spans in milliseconds", () => {
    const options = { lateness: "1 hour", retention: 5, panes: "discarding" } as const;
    expect(rulesOf(tumbling(1), options)).toMatchObject({
      lateness: 3_600_000,
      retention: 5,
      discarding: true,
    });
  });

  test.each([
    ["a lateness that is none", tumbling(1), { lateness: "soon" }],
    ["a negative lateness", tumbling(1), { lateness: -1 }],
    ["no retention", tumbling(1), { retention: 0 }],
    ["lateness in processing time", tumbling(1, { time: "processing" }), { lateness: 1 }],
    ["a late trigger in processing time", session(1, { time: "processing" }), { late: eachEvent() }],
  ] satisfies [string, Parameters<typeof rulesOf>[0], WindowOptions][])(
    "refused: %s",
    (_, assigner, options) => {
      expect(() => rulesOf(assigner, options)).toThrow(PlanError);
    },
  );
});

test.each([
  [[0, 5], [5, 9], true, [0, 9]],
  [[0, 5], [6, 9], false, [0, 9]],
  [[0, 9], [2, 3], true, [0, 9]],
  [[4, 6], [0, 4], true, [0, 6]],
] as const)("%j and %j touch: %s", (a, b, expected, both) => {
  const window = ([start, end]: readonly [number, number]) => ({ start, end });
  expect([touches(window(a), window(b)), touches(window(b), window(a))]).toEqual([expected, expected]);
  expect(cover(window(a), window(b))).toEqual(window(both));
});

test("count windows have from 1 to 10,000 events", () => {
  expect(countWindow(3)).toMatchObject({ size: 3, slide: 3 });
  for (const [size, slide] of [[0], [1.5], [10_001], [5, 0]] as const)
    expect(() => countWindow(size, slide)).toThrow(PlanError);
});
