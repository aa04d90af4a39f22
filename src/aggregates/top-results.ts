/** topResults: the keys with the largest values of a window, out of what a windowed aggregate has found for each key. */
import { PlanError } from "../errors.ts";
import type { Aggregator, WindowResult } from "../operator.ts";
import type { Window } from "../windows/window.ts";
import { finite } from "./sum.ts";

/** One of the largest: a key's value in a window. */
export interface TopResult {
  readonly key: string;
  readonly window: Window;
  readonly value: number;
}

/** A result as it is held. JSON; fields are only ever appended. */
export type HeldResult = readonly [key: string, value: number, pane: number, start: number, end: number];

/**
 * The results that fewer than `n` others are larger than: the `n` largest, and all that tie with the last of them, like
 * SQL's `RANK() <= n`. By value descending, then by key, then by window.
 *
 * ```ts
 * clicks
 *   .keyBy((click) => click.url)
 *   .window(tumbling("1 minute"))
 *   .aggregate("views-per-minute", count())
 *   .keyBy(() => "all")
 *   .window(tumbling("1 minute"))
 *   .aggregate("top-pages-per-minute", topResults(10))
 * ```
 *
 * A window that fires again replaces what it gave before, by its pane: use accumulating panes. Only the largest are held, so
 * what a result displaced is gone: the value of a key and window may only grow from pane to pane, as counts and maxima do.
 * One that has fallen goes to dead letters, and so does one that is no finite number.
 *
 * @throws PlanError unless `n` is a whole number of at least 1.
 */
export function topResults(n: number): Aggregator<WindowResult<number>, HeldResult[], TopResult[]> {
  if (!Number.isSafeInteger(n) || n < 1)
    throw new PlanError(`topResults: n ${n} is not a positive whole number`);
  return {
    signature: "top-results@1",
    create: () => [],
    add: (held, { data }) => {
      const { key, window, pane, previous } = data;
      const value = finite(data.value);
      if (previous !== undefined && value < previous)
        throw new RangeError(`the value of ${key} fell from ${previous} to ${value}; it may only grow`);
      return cut(put(held, [key, value, pane.index, window.start, window.end]), n);
    },
    merge: (left, right) => cut(right.reduce(put, left), n),
    result: (held) => held.map(([key, value, , start, end]) => ({ key, window: { start, end }, value })),
  };
}

/** Puts a result at its place, instead of an earlier pane of it. */
function put(held: HeldResult[], result: HeldResult): HeldResult[] {
  const [key, , pane, start, end] = result;
  const same = held.findIndex((other) => other[0] === key && other[3] === start && other[4] === end);
  if (same >= 0) {
    if ((held[same] as HeldResult)[2] >= pane) return held;
    held.splice(same, 1);
  }
  let [low, high] = [0, held.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(held[middle] as HeldResult, result)) low = middle + 1;
    else high = middle;
  }
  held.splice(low, 0, result);
  return held;
}

/** Drops what `n` others are larger than. */
function cut(held: HeldResult[], n: number): HeldResult[] {
  const last = held[n - 1]?.[1];
  if (last === undefined) return held;
  let kept = held.length;
  while ((held[kept - 1] as HeldResult)[1] < last) kept--;
  held.length = kept;
  return held;
}

function isBefore(a: HeldResult, b: HeldResult): boolean {
  if (a[1] !== b[1]) return a[1] > b[1];
  if (a[0] !== b[0]) return a[0] < b[0];
  if (a[4] !== b[4]) return a[4] < b[4];
  return a[3] < b[3];
}
