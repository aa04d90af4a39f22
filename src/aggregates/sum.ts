/** sum: the sum of a number that each event carries. */
import type { Aggregator } from "../operator.ts";

/**
 * Sums `value` over a key's events. An event whose value is not a finite number goes to dead letters.
 *
 * ```ts
 * orders.keyBy((order) => order.shop).aggregate("revenue", sum((order) => order.amount))
 * ```
 */
export function sum<In>(value: (data: In) => number): Aggregator<In, number, number> {
  return {
    signature: "sum@1",
    create: () => 0,
    add: (sum, event) => sum + finite(value(event.data)),
    merge: (left, right) => left + right,
    result: (sum) => sum,
  };
}

/** @throws TypeError unless a finite number: one NaN would spoil a key for ever. */
export function finite(value: number): number {
  if (!Number.isFinite(value)) throw new TypeError(`not a finite number: ${String(value)}`);
  return value;
}
