/** countWindow: the last so many events of a key, whenever they came. */
import { PlanError } from "../errors.ts";

export class CountWindows {
  readonly size: number;
  readonly slide: number;

  /** @throws PlanError unless 1 ≤ slide, size ≤ 10,000. */
  constructor(size: number, slide: number = size) {
    for (const [what, n] of [
      ["size", size],
      ["slide", slide],
    ] as const) {
      if (!Number.isSafeInteger(n) || n < 1 || n > 10_000)
        throw new PlanError(`countWindow, ${what}: a whole number from 1 to 10000, not ${String(n)}`);
    }
    this.size = size;
    this.slide = slide;
  }

  get signature(): string {
    return `count:${this.size}:${this.slide}@1`;
  }
}

/**
 * `countWindow(100)`: a result for every 100 events of a key. `countWindow(100, 10)`: every 10 events, one over the last
 * 100 (fewer at the start). Source: Flink's `countWindow`.
 *
 * The order within a key is that of arrival at its shard. Count windows have no time, so nothing is late for them, and a
 * window that never fills has no result.
 *
 * @throws PlanError unless both are whole numbers from 1 to 10,000.
 */
export function countWindow(size: number, slide?: number): CountWindows {
  return new CountWindows(size, slide);
}
