/** average: the arithmetic mean of a number that each event carries. */
import type { Aggregator } from "../operator.ts";
import { finite } from "./sum.ts";

/** `[sum, count]` */
export type AverageAccumulator = readonly [number, number];

/**
 * Averages `value` over a key's events. An event whose value is not a finite number goes to dead letters.
 *
 * ```ts
 * readings.keyBy((reading) => reading.district).aggregate("temperature", average((reading) => reading.celsius))
 * ```
 */
export function average<In>(value: (data: In) => number): Aggregator<In, AverageAccumulator, number> {
  return {
    signature: "average@1",
    create: () => [0, 0],
    add: ([sum, count], event) => [sum + finite(value(event.data)), count + 1],
    merge: (left, right) => [left[0] + right[0], left[1] + right[1]],
    result: ([sum, count]) => (count === 0 ? 0 : sum / count),
  };
}
