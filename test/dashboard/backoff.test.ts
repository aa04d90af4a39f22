/** The waits between tries to connect. */
import { expect, test } from "vitest";
import { backoff } from "../../workers/dashboard/api/backoff.ts";

test("grow from half a second to ten seconds, and stay there", () => {
  const longest = Array.from({ length: 40 }, (_, attempt) => backoff(attempt, () => 1));
  expect(longest.slice(0, 6)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 10_000]);
  expect(Math.max(...longest)).toBe(10_000);
});

test("are spread, and never none", () => {
  expect(backoff(10, () => 0)).toBe(500);
  expect(backoff(10, () => 0.5)).toBe(5_250);
});
