/**
 * Which windows a time belongs to: the cases of Flink's `TumblingEventTimeWindowsTest`, `SlidingEventTimeWindowsTest`,
 * `EventTimeSessionWindowsTest` and `TimeWindowTest`, as data, and laws that hold for any time.
 */
import { describe, expect, test } from "vitest";
import { MAX_TIME } from "../../src/clock.ts";
import { PlanError } from "../../src/errors.ts";
import { globalWindow, hopping, session, tumbling } from "../../src/index.ts";
import { alignedStart } from "../../src/windows/tumbling.ts";
import { Random } from "../simulation/random.ts";

describe("tumbling", () => {
  // Flink: testWindowAssignment, testWindowAssignmentWithGlobalOffset, testWindowAssignmentWithNegativeGlobalOffset.
  test.each([
    [0, 0, [0, 5_000]],
    [0, 4_999, [0, 5_000]],
    [0, 5_000, [5_000, 10_000]],
    [100, 100, [100, 5_100]],
    [100, 5_099, [100, 5_100]],
    [100, 5_100, [5_100, 10_100]],
    [-100, 0, [-100, 4_900]],
    [-100, 4_899, [-100, 4_900]],
    [-100, 4_900, [4_900, 9_900]],
    [1_000, 5_999, [1_000, 6_000]],
    // Flink refuses an offset of a size or more; here it is the same as what is left of it.
    [5_100, 100, [100, 5_100]],
    [-5_100, 0, [-100, 4_900]],
  ])("5 s, offset %i: %i is in %j", (offset, time, [start, end]) => {
    expect(tumbling(5_000, { offset }).assign(time)).toEqual([{ start, end }]);
  });

  test("days of UTC+8 start at 16:00 UTC", () => {
    const [window] = tumbling("1 day", { offset: -8 * 3_600_000 }).assign(Date.UTC(2026, 0, 1, 3));
    expect(new Date(window?.start ?? 0).toISOString()).toBe("2025-12-31T16:00:00.000Z");
    expect(tumbling("1 day", { offset: "16 hours" }).assign(Date.UTC(2026, 0, 1, 3))).toEqual([window]);
  });

  // Flink: TimeWindowTest.testGetWindowStartWithOffset, of windows of 7 ms; the last row is before 1970.
  test.each([
    [0, [1, 6, 7, 8], [0, 0, 7, 7]],
    [3, [1, 2, 3, 9, 10], [-4, -4, 3, 3, 10]],
    [-2, [1, -2, 3, 4, 7, 12], [-2, -2, -2, -2, 5, 12]],
    [0, [-1, -7, -8], [-7, -7, -14]],
  ])("offset %i: %j start at %j", (offset, times, starts) => {
    expect(times.map((time) => alignedStart(time, offset, 7))).toEqual(starts);
  });

  test("a day of UTC+8, as there", () => {
    expect(alignedStart(1_470_902_048_450, -8 * 3_600_000, 86_400_000)).toBe(1_470_844_800_000);
  });
});

describe("hopping", () => {
  const starts = (offset: number, time: number) =>
    hopping(5_000, 1_000, { offset })
      .assign(time)
      .map(({ start }) => start);

  // Flink: testWindowAssignment, testWindowAssignmentWithOffset, testWindowAssignmentWithNegativeOffset, testTimeUnits.
  test.each([
    [0, 0, [-4_000, -3_000, -2_000, -1_000, 0]],
    [0, 4_999, [0, 1_000, 2_000, 3_000, 4_000]],
    [0, 5_000, [1_000, 2_000, 3_000, 4_000, 5_000]],
    [100, 100, [-3_900, -2_900, -1_900, -900, 100]],
    [100, 5_099, [100, 1_100, 2_100, 3_100, 4_100]],
    [100, 5_100, [1_100, 2_100, 3_100, 4_100, 5_100]],
    [-100, 0, [-4_100, -3_100, -2_100, -1_100, -100]],
    [-100, 4_899, [-100, 900, 1_900, 2_900, 3_900]],
    [-100, 4_900, [900, 1_900, 2_900, 3_900, 4_900]],
    [500, 100, [-4_500, -3_500, -2_500, -1_500, -500]],
    [500, 5_499, [500, 1_500, 2_500, 3_500, 4_500]],
    [500, 5_100, [500, 1_500, 2_500, 3_500, 4_500]],
  ])("5 s by 1 s, offset %i: %i", (offset, time, expected) => {
    expect(starts(offset, time)).toEqual(expected);
  });

  test("a slide that does not divide the size: some times are in one window more than others", () => {
    expect(hopping(5, 2).assign(4).length).toBe(3);
    expect(hopping(5, 2).assign(5).length).toBe(2);
  });

  test("a slide longer than the size leaves gaps: a time in one has no window", () => {
    const windows = hopping(2, 5);
    expect([5, 6, 7, 8, 9, 10].map((time) => windows.assign(time).map(({ start }) => start))).toEqual([
      [5],
      [5],
      [],
      [],
      [],
      [10],
    ]);
  });
});

test.each([...Array(20).keys()])(
  "each window holds its time, is aligned, and none is left out (seed %i)",
  (seed) => {
    const random = new Random(seed);
    const size = random.int(1, 50);
    const slide = random.int(1, 60);
    const offset = random.int(-100, 100);
    const windows = hopping(size, slide, { offset });
    for (let n = 0; n < 50; n++) {
      const time = random.int(0, 1_000);
      const expected = Array.from({ length: 1_300 }, (_, at) => at - 200)
        .filter((start) => (start - offset) % slide === 0 && start <= time && time < start + size)
        .map((start) => ({ start, end: start + size }));
      expect(windows.assign(time)).toEqual(expected);
      if (size === slide) expect(tumbling(size, { offset }).assign(time)).toEqual(expected);
    }
  },
);

// Flink: EventTimeSessionWindowsTest.testWindowAssignment; merging is tested with the engine, in test/event-time.
test.each([0, 4_999, 5_000])("a session opens [time, time + gap): %i", (time) => {
  expect(session(5_000).assign(time)).toEqual([{ start: time, end: time + 5_000 }]);
  expect(session("5 seconds").merging).toBe(true);
});

test("the global window holds every time but the end of the stream", () => {
  for (const time of [0, 1, Date.now(), MAX_TIME - 1])
    expect(globalWindow().assign()).toEqual([{ start: 0, end: MAX_TIME }].filter(({ end }) => time < end));
});

// Flink: testInvalidParameters.
test.each([
  ["tumbling, 0", () => tumbling(0)],
  ["tumbling, negative", () => tumbling(-1)],
  ["tumbling, a fraction", () => tumbling(1.5)],
  ["tumbling, no span", () => tumbling("soon")],
  ["tumbling, offset that is none", () => tumbling(5, { offset: Number.NaN })],
  ["hopping, slide 0", () => hopping(5, 0)],
  ["hopping, negative slide", () => hopping(5, -1)],
  ["hopping, negative size", () => hopping(-5, 1)],
  ["hopping, more than 1,000 windows an event", () => hopping("1 day", "1 second")],
  ["session, 0", () => session(0)],
  ["session, negative", () => session(-1)],
])("refused: %s", (_, make) => {
  expect(make).toThrow(PlanError);
});
