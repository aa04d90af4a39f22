/** Patience: ends only when nothing gets less. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Patience } from "../../../scripts/start/patience.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("lasts as long as there is less to do than ever before", () => {
  const patience = new Patience(1_000);
  for (const left of [5, 4, 3, 2]) {
    patience.see(left);
    vi.advanceTimersByTime(900);
  }
  // More, and as little as before, is no progress.
  patience.see(9);
  patience.see(2);
  expect(patience.signal.aborted).toBe(false);
  vi.advanceTimersByTime(100);
  expect(patience.signal.aborted).toBe(true);
});

test("takes any number for progress when it waits for something else, and ends with its owner", () => {
  const patience = new Patience(1_000);
  patience.see(1);
  vi.advanceTimersByTime(900);
  patience.renew();
  patience.see(50);
  vi.advanceTimersByTime(900);
  expect(patience.signal.aborted).toBe(false);
  patience.end();
  vi.advanceTimersByTime(10_000);
  expect(patience.signal.aborted).toBe(false);
});
