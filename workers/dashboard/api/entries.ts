/** Entries: what a view's snapshot and its changes come to, in the order in which the view's own address gives them. */
import type { Entry, TimeWindow, Total } from "./types.ts";

export type LiveMessage =
  | { readonly type: "snapshot"; readonly entries?: readonly Entry[]; readonly total?: Total }
  | {
      readonly type: "change";
      readonly entries?: readonly Entry[];
      readonly gone?: readonly Place[];
      readonly total?: Total;
    }
  | { readonly type: "problem"; readonly detail: string };

export interface Place {
  readonly key: string;
  readonly window?: TimeWindow;
}

/** What a page holds of a view. */
export interface Held {
  readonly entries: readonly Entry[];
  readonly total?: Total;
  /** Ids of entries that the last change touched; none after a snapshot that came first. */
  readonly changed: ReadonlySet<string>;
}

export const NOTHING: Held = { entries: [], changed: new Set() };

/** One entry of a view among all of them. */
export function idOf({ key, window }: Place): string {
  return window === undefined ? key : `${window.start}/${window.end}/${key}`;
}

/** @param ranked whether the view was asked for its top. */
export function merge(held: Held, message: LiveMessage, ranked: boolean): Held {
  if (message.type === "problem") return held;
  const total = message.total ?? held.total;
  const kept = { ...(total === undefined ? {} : { total }) };
  const known = new Map(held.entries.map((entry) => [idOf(entry), entry]));
  if (message.type === "snapshot") {
    const entries = message.entries ?? [];
    // After a break, a snapshot shows what has changed meanwhile.
    const touched = known.size === 0 ? [] : entries.filter((entry) => differs(known.get(idOf(entry)), entry));
    return { ...kept, entries, changed: new Set(touched.map(idOf)) };
  }
  for (const place of message.gone ?? []) known.delete(idOf(place));
  const touched = message.entries ?? [];
  for (const entry of touched) known.set(idOf(entry), entry);
  const entries = [...known.values()].sort((a, b) => compare(a, b, ranked));
  return { ...kept, entries, changed: new Set(touched.map(idOf)) };
}

function differs(before: Entry | undefined, after: Entry): boolean {
  return before === undefined || JSON.stringify(before.value) !== JSON.stringify(after.value);
}

/** By window (its end, then the shorter one), then by value where the top was asked for, then by key. */
function compare(a: Entry, b: Entry, ranked: boolean): number {
  return byWindow(a.window, b.window) || (ranked ? byValue(a.value, b.value) : 0) || byText(a.key, b.key);
}

function byWindow(a: TimeWindow | undefined, b: TimeWindow | undefined): number {
  if (a === undefined || b === undefined) return 0;
  return Date.parse(a.end) - Date.parse(b.end) || Date.parse(b.start) - Date.parse(a.start);
}

/** What is no number comes last. */
function byValue(a: unknown, b: unknown): number {
  const [left, right] = [a, b].map((value) => (typeof value === "number" ? value : Number.NEGATIVE_INFINITY));
  return left === right ? 0 : (right as number) > (left as number) ? 1 : -1;
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
