/** last: what a key's latest event says, by event time. */
import type { Event } from "../event.ts";
import type { Aggregator } from "../operator.ts";
import { type Dated, dated, isEarlier } from "./first.ts";

/**
 * The `value` of a key's latest event: by event time, so that one that arrives late does not undo a newer one. Ties are
 * broken as in `first`. `value` has to be JSON.
 *
 * ```ts
 * positions.keyBy((position) => position.ship).aggregate("position", last(({ lat, lon }) => ({ lat, lon })))
 * ```
 *
 * A key exists from its first event on, so the null of an empty accumulator is in no view.
 */
export function last<In, V>(value: (data: In, event: Event<In>) => V): Aggregator<In, Dated<V>, V | null> {
  return {
    signature: "last@1",
    create: () => [],
    add: (latest, event) => {
      const next = dated(event, value(event.data, event));
      return isLater(next, latest) ? next : latest;
    },
    merge: (left, right) => (isLater(right, left) ? [...right] : left),
    result: (latest) => (latest.length === 0 ? null : latest[2]),
  };
}

/** Nothing is neither earlier nor later than something: it always gives way. */
function isLater(a: Dated<unknown>, b: Dated<unknown>): boolean {
  return a.length > 0 && (b.length === 0 || isEarlier(b, a));
}
