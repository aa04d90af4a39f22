/** count: how many events a key had. */
import type { Aggregator } from "../operator.ts";

/**
 * Counts events.
 *
 * ```ts
 * clicks.keyBy((click) => click.url).aggregate("page-views", count())
 * ```
 */
export function count(): Aggregator<unknown, number, number> {
  return {
    signature: "count@1",
    growing: true,
    create: () => 0,
    add: (count) => count + 1,
    merge: (left, right) => left + right,
    result: (count) => count,
  };
}
