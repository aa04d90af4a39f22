/** Rounds a chart's height up to few numbers, never below what it shows. */
import { expect, it } from "vitest";
import { roundUp, upwards } from "../../../workers/dashboard/overview/scale.ts";

it("is at least the number, and less than twice as much", () => {
  for (let n = 0.001; n < 1e9; n *= 1.37) {
    expect(roundUp(n)).toBeGreaterThanOrEqual(n);
    expect(roundUp(n)).toBeLessThan(n * 2);
  }
});

it("keeps round numbers, and shows something where there is nothing", () => {
  expect([10, 101, 449, 7, 1_000_000].map(roundUp)).toEqual([10, 150, 500, 8, 1_000_000]);
  expect([0, -3, Number.NaN].map(roundUp)).toEqual([1, 1, 1]);
  expect(upwards(undefined, 3, 449)).toEqual([0, 500]);
});
