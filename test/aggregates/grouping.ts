/** What all aggregates are held to: events combined in some grouping, with JSON between any two steps. */
import { expect } from "vitest";
import type { Aggregator, Event } from "../../src/index.ts";
import type { Random } from "../simulation/random.ts";

/** Events a millisecond apart, with ids in their order. */
export function eventsOf<T>(data: readonly T[]): Event<T>[] {
  return data.map((one, at) => ({ id: `id-${String(at).padStart(7, "0")}`, time: at, key: "k", data: one }));
}

/** One accumulator for all events, in the order given. */
export function fold<In, Acc>(aggregator: Aggregator<In, Acc, unknown>, events: readonly Event<In>[]): Acc {
  return events.reduce((accumulator, event) => aggregator.add(accumulator, event), aggregator.create());
}

export function resultOf<In, Acc, Out>(aggregator: Aggregator<In, Acc, Out>, data: readonly In[]): Out {
  return aggregator.result(fold(aggregator, eventsOf(data)));
}

/**
 * The same from events that were shuffled, folded in runs and merged in random pairs. Every accumulator comes back from
 * JSON, and every second argument is frozen: a hook that changed it would throw.
 */
export function combineAtRandom<In, Acc>(
  aggregator: Aggregator<In, Acc, unknown>,
  events: readonly Event<In>[],
  random: Random,
): Acc {
  const partials: Acc[] = [aggregator.create()];
  for (const event of random.shuffle(events)) {
    const last = partials.at(-1) as Acc;
    if (random.chance(0.3)) partials.push(aggregator.add(aggregator.create(), event));
    else if (random.chance(0.5)) partials[partials.length - 1] = aggregator.add(viaJson(last), event);
    // What the contract says that it equals.
    else
      partials[partials.length - 1] = mergeFrozen(
        aggregator,
        last,
        aggregator.add(aggregator.create(), event),
      );
  }
  while (partials.length > 1) {
    const [left] = partials.splice(random.int(0, partials.length - 1), 1);
    const at = random.int(0, partials.length - 1);
    partials[at] = mergeFrozen(aggregator, left as Acc, partials[at] as Acc);
  }
  return viaJson(partials[0] as Acc);
}

/** Any grouping gives the very accumulator that one fold gives, and an empty one changes nothing on either side. */
export function expectSameInAnyGrouping<In, Acc>(
  aggregator: Aggregator<In, Acc, unknown>,
  events: readonly Event<In>[],
  random: Random,
): void {
  const whole = fold(aggregator, events);
  expect(combineAtRandom(aggregator, events, random)).toEqual(whole);
  expect(mergeFrozen(aggregator, aggregator.create(), whole)).toEqual(whole);
  expect(mergeFrozen(aggregator, whole, aggregator.create())).toEqual(whole);
}

export function viaJson<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

function mergeFrozen<Acc>(aggregator: Aggregator<never, Acc, unknown>, left: Acc, right: Acc): Acc {
  const second = freeze(viaJson(right));
  const merged = aggregator.merge(viaJson(left), second);
  if (typeof merged === "object") expect(merged).not.toBe(second);
  return merged;
}

function freeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    Object.freeze(value);
    for (const item of Object.values(value)) freeze(item);
  }
  return value;
}
