/**
 * Sorted lists: the accumulators that hold many values are kept in order, so that every grouping of the same events
 * gives the same JSON, and two of them merge in one pass.
 */

/** Counts by key: the keys ascending, each count at the place of its key. */
export type Tally<K extends number | string> = readonly [keys: K[], counts: number[]];

/** The place of `value` in an ascending list: of itself if it is there, else where it belongs. */
export function place(sorted: readonly (number | string)[], value: number | string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(sorted[middle] as number | string, value)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** All that is in either list, in a new one. */
export function union<V extends number | string>(left: readonly V[], right: readonly V[]): V[] {
  const all: V[] = [];
  let l = 0;
  let r = 0;
  while (l < left.length && r < right.length) {
    const a = left[l] as V;
    const b = right[r] as V;
    all.push(isBefore(b, a) ? b : a);
    if (a === b || isBefore(a, b)) l++;
    if (a === b || isBefore(b, a)) r++;
  }
  while (l < left.length) all.push(left[l++] as V);
  while (r < right.length) all.push(right[r++] as V);
  return all;
}

/** Counts `n` more of `key`, in place. */
export function tally<K extends number | string>([keys, counts]: Tally<K>, key: K, n: number): void {
  const at = place(keys, key);
  if (keys[at] === key) {
    counts[at] = (counts[at] as number) + n;
    return;
  }
  keys.splice(at, 0, key);
  counts.splice(at, 0, n);
}

/** The counts of both, in a new tally. */
export function tallyBoth<K extends number | string>(left: Tally<K>, right: Tally<K>): Tally<K> {
  const keys = union(left[0], right[0]);
  const counts: number[] = [];
  let l = 0;
  let r = 0;
  for (const key of keys) {
    let n = 0;
    if (left[0][l] === key) n += left[1][l++] as number;
    if (right[0][r] === key) n += right[1][r++] as number;
    counts.push(n);
  }
  return [keys, counts];
}

/** Numbers come before strings, so that 1 and "1" are two values with an order. */
function isBefore(a: number | string, b: number | string): boolean {
  if (typeof a === "number") return typeof b === "string" || a < b;
  return typeof b === "string" && a < b;
}
