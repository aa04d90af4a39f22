/** Timer index: timers as keys that sort by time, so that what is due is a range. */

const SEPARATOR = "\0";
/** Epoch milliseconds up to the year 275760, the last that a Date knows. */
export const MAX_TIME = 8_640_000_000_000_000;
const DIGITS = 16;

export interface IndexedTimer {
  readonly time: number;
  readonly name: string;
  readonly key: string;
}

export function timerKey({ time, name, key }: IndexedTimer): string {
  return [String(time).padStart(DIGITS, "0"), name, key].join(SEPARATOR);
}

export function parseTimerKey(timer: string): IndexedTimer {
  const end = timer.indexOf(SEPARATOR, DIGITS + 1);
  return {
    time: Number(timer.slice(0, DIGITS)),
    name: timer.slice(DIGITS + 1, end),
    key: timer.slice(end + 1),
  };
}

/** @throws RangeError unless a time in epoch milliseconds and a name without NUL. */
export function checkTimer(name: string, at: number): void {
  if (typeof name !== "string" || name.includes(SEPARATOR) || !name.isWellFormed())
    throw new RangeError(`a timer's name is well-formed text without NUL, not ${JSON.stringify(name)}`);
  if (!Number.isFinite(at) || at > MAX_TIME)
    throw new RangeError(`timer ${name}: set it to epoch milliseconds, not ${String(at)}`);
}
