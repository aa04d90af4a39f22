/** History: windows from the API, as they were and as they change, as one list; and what a chart of them shows. */
import { idOf } from "../api/entries.ts";
import type { Entry } from "../api/types.ts";

/** A window with what is known of its keys, largest first. */
export interface WindowRow {
  readonly start: number;
  readonly end: number;
  readonly final: boolean;
  readonly entries: readonly Entry[];
  /** The sum of the numbers among its entries. */
  readonly sum: number;
}

/** What is live stands over what was fetched. */
export function merged(fetched: readonly Entry[], live: readonly Entry[]): Entry[] {
  return [...new Map([...fetched, ...live].map((entry) => [idOf(entry), entry])).values()];
}

/** The windows of entries, by their ends, then the shorter ones first. Entries without a window are left out. */
export function windowsOf(entries: readonly Entry[]): WindowRow[] {
  const groups = new Map<string, Entry[]>();
  for (const entry of entries) {
    if (entry.window === undefined) continue;
    const id = `${entry.window.start}/${entry.window.end}`;
    groups.set(id, [...(groups.get(id) ?? []), entry]);
  }
  return [...groups.values()].map(rowOf).sort((a, b) => a.end - b.end || b.start - a.start);
}

function rowOf(entries: readonly Entry[]): WindowRow {
  const [first] = entries;
  const sorted = entries.toSorted((a, b) => numberOf(b.value) - numberOf(a.value) || order(a.key, b.key));
  return {
    start: Date.parse(first?.window?.start ?? ""),
    end: Date.parse(first?.window?.end ?? ""),
    final: entries.every(({ final }) => final === true),
    entries: sorted,
    sum: sorted.reduce((sum, { value }) => sum + (typeof value === "number" ? value : 0), 0),
  };
}

function numberOf(value: unknown): number {
  return typeof value === "number" ? value : Number.NEGATIVE_INFINITY;
}

function order(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

export interface Bars {
  /** Where each bar begins, ms. */
  readonly starts: readonly number[];
  /** For each of the keys asked for, then for all the rest together, one number a bar. */
  readonly parts: readonly (readonly number[])[];
  readonly sums: readonly number[];
  /** Whether nothing can change a bar any more. */
  readonly final: readonly boolean[];
  /** Whether a bar's time is over: until then it grows. */
  readonly over: readonly boolean[];
}

const MOST_BARS = 2000;

/**
 * One bar for each step of time, those without a window as zero: a gap is news too. It starts with the first window there
 * is, and goes on to the last one or to `until`.
 */
export function barsOf(
  rows: readonly WindowRow[],
  step: number,
  keys: readonly string[],
  { from, until }: { from?: number; until?: number } = {},
): Bars {
  const byStart = new Map(rows.map((row) => [row.start, row]));
  const [first] = rows;
  const last = rows.at(-1);
  const starts: number[] = [];
  if (first !== undefined && last !== undefined && step > 0) {
    const floor = (time: number) => first.start + Math.floor((time - first.start) / step) * step;
    const end = Math.max(last.start, until === undefined ? last.start : floor(until));
    const begin = from === undefined ? first.start : Math.min(first.start, floor(from));
    // The latest are what somebody looks at.
    for (let at = Math.max(begin, end - (MOST_BARS - 1) * step); at <= end; at += step) starts.push(at);
  }
  const of = (at: number, key: string) => {
    const value = byStart.get(at)?.entries.find((entry) => entry.key === key)?.value;
    return typeof value === "number" ? value : 0;
  };
  const named = keys.map((key) => starts.map((at) => of(at, key)));
  const sums = starts.map((at) => byStart.get(at)?.sum ?? 0);
  const rest = sums.map((sum, i) => Math.max(0, sum - named.reduce((all, part) => all + (part[i] ?? 0), 0)));
  const final = starts.map((at) => byStart.get(at)?.final ?? true);
  const over = starts.map((at) => until === undefined || at + step <= until);
  return { starts, parts: [...named, rest], sums, final, over };
}

/** Steps that a chart shows at least: what has just begun is not to look as if it had always been so. */
const FEWEST = 20;

/** Where a chart begins: as far back as it may, but not long before the first window. */
export function beginOf(rows: readonly WindowRow[], from: number, until: number, step: number): number {
  const first = rows[0]?.start ?? until;
  return Math.max(from, Math.min(first - step, until - FEWEST * step));
}

/** The window that matters now: of those that are not over, the one that ends first, since it has seen most; else the last. */
export function currentOf(rows: readonly WindowRow[], now: number): WindowRow | undefined {
  return rows.find(({ end }) => end > now) ?? rows.at(-1);
}
