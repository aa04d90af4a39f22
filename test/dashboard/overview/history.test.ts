/** Puts windows together as they were and as they change, and cuts them into bars that leave no time out. */
import { expect, it } from "vitest";
import type { Entry } from "../../../workers/dashboard/api/types.ts";
import {
  barsOf,
  beginOf,
  currentOf,
  merged,
  windowsOf,
} from "../../../workers/dashboard/overview/history.ts";

const MINUTE = 60_000;
const NOON = Date.UTC(2026, 0, 1, 12);

function entry(key: string, minute: number, value: unknown, final = true): Entry {
  const [start, end] = [NOON + minute * MINUTE, NOON + (minute + 1) * MINUTE];
  return {
    key,
    value,
    final,
    window: { start: new Date(start).toISOString(), end: new Date(end).toISOString() },
  };
}

it("lets what is live stand over what was fetched", () => {
  const all = merged([entry("/a", 0, 1), entry("/a", 1, 2)], [entry("/a", 1, 3), entry("/b", 1, 1)]);
  expect(all.map(({ key, value }) => [key, value])).toEqual([
    ["/a", 1],
    ["/a", 3],
    ["/b", 1],
  ]);
});

it("gathers windows by their ends, their keys by value, ties by key", () => {
  const rows = windowsOf([
    entry("/b", 1, 5, false),
    entry("/a", 1, 5),
    entry("/c", 1, 9),
    entry("/a", 0, 1),
    { key: "/none", value: 1 },
  ]);
  expect(rows.map(({ start, sum, final }) => [start, sum, final])).toEqual([
    [NOON, 1, true],
    [NOON + MINUTE, 19, false],
  ]);
  expect(rows[1]?.entries.map(({ key }) => key)).toEqual(["/c", "/a", "/b"]);
});

it("adds up numbers only", () => {
  expect(windowsOf([entry("/a", 0, { n: 1 }), entry("/b", 0, 2)])[0]?.sum).toBe(2);
});

it("shows a bar for each step, those without a window too, up to now", () => {
  const rows = windowsOf([entry("/a", 0, 3), entry("/b", 0, 2), entry("/a", 2, 4, false)]);
  const { starts, parts, sums, final } = barsOf(rows, MINUTE, ["/a"], {
    from: NOON - MINUTE,
    until: NOON + 3.5 * MINUTE,
  });
  expect(starts).toEqual([-1, 0, 1, 2, 3].map((minute) => NOON + minute * MINUTE));
  expect(parts).toEqual([
    [0, 3, 0, 4, 0],
    [0, 2, 0, 0, 0],
  ]);
  expect(sums).toEqual([0, 5, 0, 4, 0]);
  expect(final).toEqual([true, true, true, false, true]);
});

it("shows nothing where there is nothing, and no end of bars where windows lie years apart", () => {
  expect(barsOf([], MINUTE, []).starts).toEqual([]);
  const rows = windowsOf([entry("/a", 0, 1), entry("/a", 60 * 24 * 365 * 10, 1)]);
  const { starts } = barsOf(rows, MINUTE, []);
  expect(starts.length).toBe(2000);
  expect(starts.at(-1)).toBe(rows[1]?.start);
});

it("begins a chart shortly before the first window, but never with only a few bars", () => {
  const now = NOON + 60 * MINUTE;
  const hour = now - 60 * MINUTE;
  const at = (minute: number) => beginOf(windowsOf([entry("/a", minute, 1)]), hour, now, MINUTE);
  expect(at(58)).toBe(now - 20 * MINUTE);
  expect(at(30)).toBe(NOON + 29 * MINUTE);
  expect(at(-5)).toBe(hour);
  expect(beginOf([], hour, now, MINUTE)).toBe(now - 20 * MINUTE);
});

it("takes the open window that ends first for the one of now, else the last", () => {
  const rows = windowsOf([entry("/a", 0, 1), entry("/a", 1, 1), entry("/a", 2, 1)]);
  expect(currentOf(rows, NOON + 1.5 * MINUTE)?.start).toBe(NOON + MINUTE);
  expect(currentOf(rows, NOON + 9 * MINUTE)?.start).toBe(NOON + 2 * MINUTE);
  expect(currentOf([], NOON)).toBeUndefined();
});
