/** distinct: how many different values a key's events carry, counted exactly. */
import { PlanError } from "../errors.ts";
import type { Aggregator } from "../operator.ts";
import { place, union } from "./sorted.ts";
import { finite } from "./sum.ts";

export interface DistinctOptions {
  /** How many different values a key may hold; 10,000 by default. */
  readonly limit?: number;
}

/**
 * Counts the different values of `value`, which gives a string or a finite number; `1` and `"1"` are two. An event with
 * anything else goes to dead letters.
 *
 * ```ts
 * logins.keyBy((login) => login.user).aggregate("devices", distinct((login) => login.device))
 * ```
 *
 * Being exact, it keeps every value, and each change of a key writes all of them. Hence the `limit`: what would take a
 * key past it goes to dead letters, an event while it is combined with others, or all events of a key in one request
 * once they reach the state; the key stays as it was and readable. Up to the limit any grouping gives the same; which
 * values find a full key depends on the order. The same holds for 1 MB of values. Where keys may grow so far, use
 * `approxDistinct`. The limit may be changed at any time; a key that is over a lowered one takes no new values.
 */
export function distinct<In>(
  value: (data: In) => number | string,
  { limit = 10_000 }: DistinctOptions = {},
): Aggregator<In, (number | string)[], number> {
  if (!Number.isSafeInteger(limit) || limit < 1)
    throw new PlanError(`distinct: limit ${limit} is not a positive whole number`);
  return {
    signature: "distinct@1",
    growing: true,
    create: () => [],
    add: (values, event) => {
      const next = comparable(value(event.data));
      const at = place(values, next);
      if (values[at] === next) return values;
      checkRoom(values.length + 1, limit);
      values.splice(at, 0, next);
      return values;
    },
    merge: (left, right) => {
      const both = union(left, right);
      if (both.length > left.length) checkRoom(both.length, limit);
      return both;
    },
    result: (values) => values.length,
  };
}

/** @throws TypeError unless a string or a finite number. Values are what JSON keeps of them: -0 becomes 0. */
export function comparable(value: number | string): number | string {
  return typeof value === "string" ? value : finite(value) + 0;
}

function checkRoom(values: number, limit: number): void {
  if (values > limit) {
    throw new RangeError(`${values} distinct values of one key; the limit is ${limit} (see approxDistinct)`);
  }
}
