/** Timer index: timers as keys that sort by time, so that what is due is a range; one range per kind of time. */
import { MAX_TIME } from "../../../clock.ts";

export type TimerDomain = "processing" | "event";

const SEPARATOR = "\0";
const DIGITS = 16;
/** Those of event time come after those of processing time, which start with a digit. */
export const EVENT_PREFIX = "e";

export interface IndexedTimer {
  readonly time: number;
  readonly name: string;
  readonly key: string;
  /** `processing` by default. */
  readonly domain?: TimerDomain;
}

export function timerKey({ time, name, key, domain }: IndexedTimer): string {
  const text = [padded(time), name, key].join(SEPARATOR);
  return domain === "event" ? EVENT_PREFIX + text : text;
}

export function parseTimerKey(timer: string): IndexedTimer & { readonly domain: TimerDomain } {
  const event = timer.startsWith(EVENT_PREFIX);
  const text = event ? timer.slice(EVENT_PREFIX.length) : timer;
  const end = text.indexOf(SEPARATOR, DIGITS + 1);
  return {
    time: Number(text.slice(0, DIGITS)),
    name: text.slice(DIGITS + 1, end),
    key: text.slice(end + 1),
    domain: event ? "event" : "processing",
  };
}

/** A time, or a span, as text that sorts like it. Not for negative ones. */
export function padded(ms: number): string {
  return String(ms).padStart(DIGITS, "0");
}

/** @throws RangeError unless a time in epoch milliseconds and a name without NUL. */
export function checkTimer(name: string, at: number): void {
  if (typeof name !== "string" || name.includes(SEPARATOR) || !name.isWellFormed())
    throw new RangeError(`a timer's name is well-formed text without NUL, not ${JSON.stringify(name)}`);
  if (!Number.isFinite(at) || at > MAX_TIME)
    throw new RangeError(`timer ${name}: set it to epoch milliseconds, not ${String(at)}`);
}
