/** first: what a key's earliest event says, by event time. */
import type { Event } from "../event.ts";
import type { Aggregator } from "../operator.ts";

/** What one event said and where it stands in time; empty before the first event. */
export type Dated<V> = readonly [] | readonly [time: number, id: string, value: V];

/**
 * The `value` of a key's earliest event: by event time, whatever order events arrive in. Events of the same time are in
 * the order of their ids; what one event was split into has one id too and is in the order of its JSON. `value` has to
 * be JSON.
 *
 * ```ts
 * visits.keyBy((visit) => visit.user).aggregate("referrer", first((visit) => visit.referrer))
 * ```
 *
 * A key exists from its first event on, so the null of an empty accumulator is in no view.
 */
export function first<In, V>(value: (data: In, event: Event<In>) => V): Aggregator<In, Dated<V>, V | null> {
  return {
    signature: "first@1",
    create: () => [],
    add: (earliest, event) => {
      const next = dated(event, value(event.data, event));
      return isEarlier(next, earliest) ? next : earliest;
    },
    merge: (left, right) => (isEarlier(right, left) ? [...right] : left),
    result: (earliest) => (earliest.length === 0 ? null : earliest[2]),
  };
}

export function dated<V>(event: Event<unknown>, value: V): Dated<V> {
  return [event.time, event.id, value];
}

/** Whether `a` comes before `b` in a total order, so that the first of many is the same however they are grouped. */
export function isEarlier(a: Dated<unknown>, b: Dated<unknown>): boolean {
  if (a.length === 0) return false;
  if (b.length === 0) return true;
  if (a[0] !== b[0]) return a[0] < b[0];
  if (a[1] !== b[1]) return a[1] < b[1];
  return JSON.stringify(a[2]) < JSON.stringify(b[2]);
}
