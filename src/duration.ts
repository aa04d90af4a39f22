/** Durations and times as users write them: `1 minute`, `90s`, ISO 8601, epoch milliseconds. */

const UNITS: ReadonlyMap<string, number> = new Map(
  (
    [
      [1, "ms", "millisecond", "milliseconds"],
      [1_000, "s", "sec", "second", "seconds"],
      [60_000, "m", "min", "minute", "minutes"],
      [3_600_000, "h", "hour", "hours"],
      [86_400_000, "d", "day", "days"],
    ] as const
  ).flatMap(([ms, ...names]) => names.map((name) => [name, ms] as const)),
);

/** A duration in milliseconds from words. @throws RangeError with an example when it is not one. */
export function parseDuration(text: string): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*$/i.exec(text);
  const unit = UNITS.get(match?.[2]?.toLowerCase() ?? "");
  if (match === null || unit === undefined) {
    throw new RangeError(
      `not a duration: ${JSON.stringify(text)}; write it like "1 minute", "90s" or "2 hours"`,
    );
  }
  return Number(match[1]) * unit;
}

/** A span as milliseconds or in words, in milliseconds. @throws RangeError when it is negative or not one. */
export function millisecondsOf(span: number | string): number {
  const ms = typeof span === "string" ? parseDuration(span) : span;
  if (Number.isFinite(ms) && ms >= 0) return ms;
  throw new RangeError(`not a duration: ${ms}; use milliseconds, or words like "1 minute"`);
}

/**
 * A moment as a query names it: ISO 8601 with an offset, epoch milliseconds, `now`, or a span from now like `-1h`; undefined
 * when it is none of them.
 */
export function parseMoment(text: string, now: number): number | undefined {
  const trimmed = text.trim();
  if (trimmed === "now") return now;
  if (/^\d+$/.test(trimmed)) return parseTime(Number(trimmed));
  // A plus sign in a query string comes as a blank.
  const relative = /^([+-]?)\s*(\d.*[a-z])$/i.exec(trimmed);
  if (relative === null) return parseTime(trimmed);
  try {
    return parseTime(now + (relative[1] === "-" ? -1 : 1) * parseDuration(relative[2] ?? ""));
  } catch {
    return parseTime(trimmed);
  }
}

/** ISO 8601 with a date, a time and an offset: a time without an offset would mean another moment on each machine. */
const ISO = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})$/;

/** Epoch milliseconds from epoch milliseconds or ISO 8601 with an offset; undefined when it is neither. */
export function parseTime(value: unknown): number | undefined {
  if (typeof value === "number")
    return Number.isSafeInteger(Math.round(value)) ? Math.round(value) : undefined;
  if (typeof value !== "string" || !ISO.test(value)) return undefined;
  const [year, month, day] = value.slice(0, 10).split("-").map(Number) as [number, number, number];
  // Date.parse takes the 30th of February for the 2nd of March.
  if (day > new Date(Date.UTC(year, month, 0)).getUTCDate()) return undefined;
  const time = Date.parse(value);
  return Number.isNaN(time) ? undefined : time;
}
