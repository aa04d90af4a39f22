/** top: a key's most frequent items, with their counts. */
import { PlanError } from "../errors.ts";
import type { Aggregator } from "../operator.ts";
import { type Tally, tally, tallyBoth } from "./sorted.ts";
import { finite } from "./sum.ts";

export interface TopOptions<In> {
  /** What an event counts for; 1 by default. */
  readonly weight?: (data: In) => number;
  /** How many different items a key may hold; 1,000 by default. */
  readonly capacity?: number;
}

export interface ItemCount {
  readonly item: string;
  readonly count: number;
}

/**
 * The `n` items with the largest counts among a key's events: by count descending, then by item. An event whose item is
 * not a string, or whose weight is negative or not a finite number, goes to dead letters.
 *
 * ```ts
 * sales
 *   .keyBy((sale) => sale.shop)
 *   .aggregate("best-sellers", top(10, (sale) => sale.product, { weight: (sale) => sale.units }))
 * ```
 *
 * Exact while a key has had at most `capacity` different items, as far as adding its weights is. Beyond, it is a
 * Misra-Gries summary (mergeable: Agarwal et al., PODS 2012), and however events are grouped: no count is too high; none
 * is too low by more than total weight / (capacity + 1); so each item with more weight than that is held. Merging stays
 * commutative. It is associative within these bounds and no longer to the unit: how much the counts are too low depends
 * on the grouping. `capacity` may be changed; the bounds are those of the smallest one used.
 */
export function top<In>(
  n: number,
  item: (data: In) => string,
  { weight = one, capacity = 1000 }: TopOptions<In> = {},
): Aggregator<In, Tally<string>, ItemCount[]> {
  if (!Number.isSafeInteger(n) || n < 1) throw new PlanError(`top: n ${n} is not a positive whole number`);
  if (!Number.isSafeInteger(capacity) || capacity < n)
    throw new PlanError(`top: capacity ${capacity} is not a whole number of at least n, which is ${n}`);
  return {
    signature: "top@1",
    create: () => [[], []],
    add: (counts, event) => {
      const name: unknown = item(event.data);
      if (typeof name !== "string") throw new TypeError(`not a string: ${String(name)}`);
      const by = finite(weight(event.data));
      if (by < 0) throw new RangeError(`a negative weight: ${by}`);
      if (by > 0) tally(counts, name, by);
      return prune(counts, capacity);
    },
    merge: (left, right) => prune(tallyBoth(left, right), capacity),
    result: (counts) => ranked(counts).slice(0, n),
  };
}

function one(): number {
  return 1;
}

/**
 * Takes the largest count beyond the capacity off every item, and drops those that have nothing left. Each time, at
 * least `capacity + 1` items lose that count: that is why no item can lose more than its share of the total.
 */
function prune(held: Tally<string>, capacity: number): Tally<string> {
  const [items, counts] = held;
  if (items.length <= capacity) return held;
  const cut = Float64Array.from(counts)
    .sort()
    .at(-capacity - 1) as number;
  let kept = 0;
  for (let at = 0; at < items.length; at++) {
    const count = (counts[at] as number) - cut;
    if (count <= 0) continue;
    items[kept] = items[at] as string;
    counts[kept++] = count;
  }
  items.length = kept;
  counts.length = kept;
  return held;
}

function ranked([items, counts]: Tally<string>): ItemCount[] {
  return items
    .map((item, at) => ({ item, count: counts[at] as number }))
    .sort((a, b) => b.count - a.count || (a.item < b.item ? -1 : 1));
}
