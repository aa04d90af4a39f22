/** Durations and times as users write them. */
import { expect, test } from "vitest";
import { parseDuration, parseMoment, parseTime } from "../src/duration.ts";

test.each([
  ["1 minute", 60_000],
  ["90s", 90_000],
  ["2 hours", 7_200_000],
  ["1.5h", 5_400_000],
  ["0 ms", 0],
  [" 3  Days ", 259_200_000],
  ["1m", 60_000],
  ["5 sec", 5_000],
  ["10 MIN", 600_000],
  ["1d", 86_400_000],
])("%j is %i ms", (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each([
  "",
  "1",
  "minute",
  "-1 minute",
  "1 fortnight",
  "1 minute 2",
  "1e3 s",
  "1..5s",
  "١ s",
  "1 constructor",
  "1 __proto__",
])("%j is no duration", (text) => {
  expect(() => parseDuration(text)).toThrow(RangeError);
  expect(() => parseDuration(text)).toThrow(/1 minute/);
});

test.each([
  [0, 0],
  [-5, -5],
  [1_750_000_000_000.4, 1_750_000_000_000],
  ["1970-01-01T00:00Z", 0],
  ["1970-01-01T00:00:00.001Z", 1],
  ["1970-01-01T02:00:00+02:00", 0],
  ["1970-01-01T00:00:00-0100", 3_600_000],
  ["2026-02-28T23:59:59.999Z", Date.UTC(2026, 1, 28, 23, 59, 59, 999)],
  ["2024-02-29T00:00:00Z", Date.UTC(2024, 1, 29)],
])("%j is %i", (value, time) => {
  expect(parseTime(value)).toBe(time);
});

test.each([
  Number.NaN,
  Number.POSITIVE_INFINITY,
  1e300,
  "",
  "now",
  "2026-01-01",
  "2026-01-01T00:00:00",
  "2026-01-01 00:00:00Z",
  "2026-13-01T00:00:00Z",
  "2026-01-32T00:00:00Z",
  "2026-02-30T00:00:00Z",
  "2025-02-29T00:00:00Z",
  "2026-01-01T25:00:00Z",
  "2026-01-01T00:60:00Z",
  "2026-01-01T00:00:00+99:99",
  "1750000000000",
  null,
  undefined,
  {},
  [1],
  true,
])("%j is no time", (value) => {
  expect(parseTime(value)).toBeUndefined();
});

const NOW = Date.UTC(2026, 0, 31, 12);

test.each([
  ["now", NOW],
  [" now ", NOW],
  ["-1h", NOW - 3_600_000],
  ["- 90 seconds", NOW - 90_000],
  ["+1 minute", NOW + 60_000],
  // A plus sign in a query string comes as a blank.
  [" 1 minute", NOW + 60_000],
  ["-1.5ms", NOW - 1],
  ["0", 0],
  ["1750000000000", 1_750_000_000_000],
  ["2026-01-31T12:00:00Z", NOW],
])("the moment %j is %i", (text, time) => {
  expect(parseMoment(text, NOW)).toBe(time);
});

test.each([
  "",
  "yesterday",
  "-1",
  "1 fortnight",
  "--1h",
  "2026-01-31",
  "9".repeat(30),
  `-${"9".repeat(30)}h`,
])("%j is no moment", (text) => {
  expect(parseMoment(text, NOW)).toBeUndefined();
});
