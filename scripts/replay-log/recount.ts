/** Recount: what a log's windows hold and which of its lines are late, by plain arithmetic; it knows nothing of the engine. */

export interface LogLine {
  /** Its place in the log, from 0. */
  readonly number: number;
  readonly path: string;
  /** Epoch milliseconds. */
  readonly time: number;
}

export interface Recount {
  /** By `{window's start} {path}`: how many lines. */
  readonly counts: ReadonlyMap<string, number>;
  /** The numbers of the lines that come too late. */
  readonly late: ReadonlySet<number>;
  /** Lines that are earlier than some line before them, and by how much at most, ms. */
  readonly outOfOrder: number;
  readonly furthestBehind: number;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const COMMON_LOG =
  /^\S+ \S+ \S+ \[(\d\d)\/([A-Z][a-z]{2})\/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)\] "\S+ (\S+)/;

/** A line in the Common, or the Combined, Log Format; undefined when it is none. */
export function parseLine(text: string, number: number): LogLine | undefined {
  const match = COMMON_LOG.exec(text);
  if (match === null) return undefined;
  const [, day, month, year, hour, minute, second, sign, hours, minutes, path = ""] = match;
  const offset = (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
  const local = Date.UTC(
    Number(year),
    MONTHS.indexOf(month ?? ""),
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
  );
  return { number, path, time: local - offset };
}

/**
 * Goes through the lines one by one: the watermark before a line is the latest time of all lines before it, minus the
 * bound, minus 1 ms; a line whose window has ended by then (its last millisecond is not after the watermark) is late.
 */
export function recount(lines: readonly LogLine[], bound: number, size: number): Recount {
  const counts = new Map<string, number>();
  const late = new Set<number>();
  let latest = Number.NEGATIVE_INFINITY;
  let outOfOrder = 0;
  let furthestBehind = 0;
  for (const { number, path, time } of lines) {
    const start = Math.floor(time / size) * size;
    if (start + size - 1 <= latest - bound - 1) late.add(number);
    else counts.set(`${start} ${path}`, (counts.get(`${start} ${path}`) ?? 0) + 1);
    if (time < latest) outOfOrder++;
    furthestBehind = Math.max(furthestBehind, latest - time);
    latest = Math.max(latest, time);
  }
  return { counts, late, outOfOrder, furthestBehind };
}
