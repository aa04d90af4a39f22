/**
 * Order: an order of events that does not depend on how many shards they came through.
 *
 * Shards run side by side, so what one step gives comes in an order that says nothing. It is listed by event id, in which
 * numbers count as numbers: an id starts with the record or the timer that an event goes back to, and ends with its
 * place among what was emitted for it. Only the changes of aggregates are named after shards and commits; they are listed
 * by key.
 */
import type { Event } from "../event.ts";

/** Events of one step in order. @param aggregates the operators whose changes are among what they go back to. */
export function inOrder(
  events: readonly Event<unknown>[],
  aggregates: ReadonlySet<string>,
): Event<unknown>[] {
  const changes = new Map<string, Event<unknown>[]>();
  const others: Event<unknown>[] = [];
  for (const event of events) {
    const change = changeOf(event.id, aggregates);
    if (change === undefined) others.push(event);
    else if (changes.get(change)?.push(event) === undefined) changes.set(change, [event]);
  }
  const groups = [...changes.values()].map((group) => group.sort(byId));
  groups.sort(([a], [b]) => compare(labelOf(a as Event<unknown>), labelOf(b as Event<unknown>)));
  return [...others.sort(byId), ...groups.flat()];
}

/** Compares texts by their parts, numbers in them as numbers. */
export function compareIds(a: string, b: string): number {
  const left = a.split(NUMBERS);
  const right = b.split(NUMBERS);
  for (let n = 0; n < left.length && n < right.length; n++) {
    const [one = "", other = ""] = [left[n], right[n]];
    // Numbers are at the odd places.
    const order = (n % 2 === 1 ? Number(one) - Number(other) : 0) || compare(one, other);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

const NUMBERS = /(\d+)/;
const CHANGE = /^([^/]+)\/\d+\.\d+\.\d+(?=\/|$)/;

function byId(a: Event<unknown>, b: Event<unknown>): number {
  return compareIds(a.id, b.id) || compare(labelOf(a), labelOf(b));
}

/** The change of an aggregate's key that an event goes back to; undefined when it goes back to something else. */
function changeOf(id: string, aggregates: ReadonlySet<string>): string | undefined {
  const [change, operator = ""] = CHANGE.exec(id) ?? [];
  return aggregates.has(operator) ? change : undefined;
}

/** Changes of one key come from one shard, in order already; where the key is not to be seen, the content decides. */
function labelOf({ key, data }: Event<unknown>): string {
  const changed = typeof data === "object" && data !== null && "key" in data && "value" in data;
  return changed && typeof data.key === "string" ? data.key : JSON.stringify([key, data]);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
