/** session: a key's events with less than a gap between them. Each event opens `[time, time + gap)`; what touches merges. */
import { spanOf } from "./span.ts";
import type { Window, WindowTimeOptions } from "./window.ts";
import { TimeAssigner } from "./window.ts";

export class SessionWindows extends TimeAssigner {
  override readonly merging = true;
  readonly gap: number;

  /** @throws PlanError when the gap is no span. */
  constructor(gap: number | string, options: WindowTimeOptions = {}) {
    super(options);
    this.gap = spanOf("session", gap);
  }

  get signature(): string {
    return `session:${this.gap}:${this.time}@1`;
  }

  assign(time: number): readonly Window[] {
    return [{ start: time, end: time + this.gap }];
  }
}

/** `session("30 minutes")` @throws PlanError when the gap is no span. */
export function session(gap: number | string, options?: WindowTimeOptions): SessionWindows {
  return new SessionWindows(gap, options);
}

/** Whether two windows overlap or touch. Source: Flink's `TimeWindow.intersects`, which counts touching in. */
export function touches(a: Window, b: Window): boolean {
  return a.start <= b.end && b.start <= a.end;
}

/** The smallest window that covers both. */
export function cover(a: Window, b: Window): Window {
  return { start: Math.min(a.start, b.start), end: Math.max(a.end, b.end) };
}
