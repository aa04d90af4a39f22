/** tumbling: windows of one size, one after the other: each event belongs to exactly one. */
import { offsetOf, spanOf } from "./span.ts";
import type { Window, WindowTimeOptions } from "./window.ts";
import { TimeAssigner } from "./window.ts";

export interface TumblingOptions extends WindowTimeOptions {
  /** Shifts the windows, which else start at multiples of their size since 1970 UTC: "-8 hours" for days in UTC+8 is -28_800_000. */
  readonly offset?: number | string;
}

export class TumblingWindows extends TimeAssigner {
  readonly size: number;
  readonly offset: number;

  /** @throws PlanError when a span is none. */
  constructor(size: number | string, options: TumblingOptions = {}) {
    super(options);
    this.size = spanOf("tumbling", size);
    this.offset = offsetOf("tumbling, offset", options.offset ?? 0);
  }

  get signature(): string {
    return `tumbling:${this.size}:${this.offset}:${this.time}@1`;
  }

  assign(time: number): readonly Window[] {
    const start = alignedStart(time, this.offset, this.size);
    return [{ start, end: start + this.size }];
  }
}

/** The start of the window of this size that holds `time`. Source: Flink's `getWindowStartWithOffset`. */
export function alignedStart(time: number, offset: number, size: number): number {
  const into = (time - offset) % size;
  return time - (into < 0 ? into + size : into);
}

/** `tumbling("1 minute")` @throws PlanError when a span is none. */
export function tumbling(size: number | string, options?: TumblingOptions): TumblingWindows {
  return new TumblingWindows(size, options);
}
