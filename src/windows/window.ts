/** Window: a stretch of time that events are grouped by, and the assigners that say which windows an event belongs to. */
import { MAX_TIME } from "../clock.ts";
import type { Event } from "../event.ts";

/** Half-open: `start` belongs to it, `end` does not. Epoch milliseconds. */
export interface Window {
  readonly start: number;
  readonly end: number;
}

/**
 * The time that windows go by. `event`: when it happened, which the watermark follows. `processing`: when the shard
 * commits it; such windows wait for nobody and nothing is ever late for them, but the same events may fall otherwise when
 * they are sent again.
 */
export type WindowTime = "event" | "processing";

/**
 * Says which windows an event belongs to. Extend it for windows of your own:
 *
 * ```ts
 * class Shifts extends WindowAssigner<Reading> {
 *   readonly signature = "shifts@1";
 *   assign(time: number, event: Event<Reading>) { … return [{ start, end }]; }
 * }
 * ```
 *
 * Obligations: `assign` depends on nothing but its arguments and is synchronous; windows have whole milliseconds and
 * `start < end`. An event without a window counts as applied and changes nothing.
 */
export abstract class WindowAssigner<T = unknown> {
  /** Names the windows, like `tumbling:60000:0@1`. State written under another signature is refused. */
  abstract readonly signature: string;
  readonly time: WindowTime = "event";
  /** Windows of a key that overlap or touch become one: sessions. */
  readonly merging: boolean = false;
  /** False where the time alone decides, not the event: then events may be combined before they reach the state. */
  readonly needsEvent: boolean = true;

  /** @param time event time, or processing time, by `time`. */
  abstract assign(time: number, event: Event<T>): readonly Window[];
}

/** What built-in windows take besides their size. */
export interface WindowTimeOptions {
  /** `event` by default. */
  readonly time?: WindowTime;
}

/** An assigner that looks at nothing but the time. */
export abstract class TimeAssigner extends WindowAssigner {
  override readonly needsEvent: boolean = false;
  override readonly time: WindowTime;

  constructor({ time = "event" }: WindowTimeOptions = {}) {
    super();
    this.time = time;
  }

  abstract override assign(time: number): readonly Window[];
}

/**
 * What an assigner says of an event.
 *
 * @throws RangeError when a window is none: it would never end, or sort nowhere.
 */
export function windowsOf(assigner: WindowAssigner, time: number, event: Event<unknown>): readonly Window[] {
  const windows = assigner.assign(time, event);
  // Assigners that look at nothing but the time are ours.
  if (!assigner.needsEvent) return windows;
  for (const { start, end } of windows) {
    const whole = Number.isSafeInteger(start) && Number.isSafeInteger(end);
    if (whole && start < end && end > 0 && end <= MAX_TIME) continue;
    throw new RangeError(
      `${assigner.signature}: [${start}, ${end}) is no window; start and end are whole epoch milliseconds, and start comes first`,
    );
  }
  return windows;
}

/** From when on a window takes nothing more: the watermark is there, or past it. Epoch milliseconds. */
export function closingOf(window: Window, lateness: number): number {
  return Math.min(lastOf(window) + lateness, MAX_TIME);
}

/** The last millisecond of a window: what its results carry as their event time. Source: Flink's `maxTimestamp`. */
export function lastOf({ end }: Window): number {
  return end - 1;
}
