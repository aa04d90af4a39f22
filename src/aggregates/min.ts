/** min: the smallest of a number that each event carries. */
import type { Aggregator } from "../operator.ts";
import { finite } from "./sum.ts";

/** `[smallest]`, or empty before the first event: JSON has no Infinity to start from. */
export type MinAccumulator = readonly [] | readonly [number];

/**
 * The smallest `value` of a key's events. An event whose value is not a finite number goes to dead letters.
 *
 * ```ts
 * offers.keyBy((offer) => offer.product).aggregate("best-price", min((offer) => offer.price))
 * ```
 *
 * A key exists from its first event on, so the 0 of an empty accumulator is in no view.
 */
export function min<In>(value: (data: In) => number): Aggregator<In, MinAccumulator, number> {
  return {
    signature: "min@1",
    create: () => [],
    add: ([smallest], event) => {
      const next = finite(value(event.data));
      return [smallest === undefined ? next : Math.min(smallest, next)];
    },
    merge: (left, right) => {
      if (right.length === 0) return left;
      return [left.length === 0 ? right[0] : Math.min(left[0], right[0])];
    },
    result: ([smallest]) => smallest ?? 0,
  };
}
