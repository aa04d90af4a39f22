/** max: the largest of a number that each event carries. */
import type { Aggregator } from "../operator.ts";
import { finite } from "./sum.ts";

/** `[largest]`, or empty before the first event: JSON has no -Infinity to start from. */
export type MaxAccumulator = readonly [] | readonly [number];

/**
 * The largest `value` of a key's events. An event whose value is not a finite number goes to dead letters.
 *
 * ```ts
 * bids.keyBy((bid) => bid.lot).aggregate("highest-bid", max((bid) => bid.amount))
 * ```
 *
 * A key exists from its first event on, so the 0 of an empty accumulator is in no view, and a key's result only grows.
 */
export function max<In>(value: (data: In) => number): Aggregator<In, MaxAccumulator, number> {
  return {
    signature: "max@1",
    growing: true,
    create: () => [],
    add: ([largest], event) => {
      const next = finite(value(event.data));
      return [largest === undefined ? next : Math.max(largest, next)];
    },
    merge: (left, right) => {
      if (right.length === 0) return left;
      return [left.length === 0 ? right[0] : Math.max(left[0], right[0])];
    },
    result: ([largest]) => largest ?? 0,
  };
}
