/**
 * Combiner: folds the events of one request into one record per operator and key.
 *
 * This is where a hot key becomes cheap: a thousand views of one page leave here as one record. Only events of one
 * segment are combined, since two segments must stay separable when one of them turns out to be a duplicate.
 */
import { messageOf } from "../../errors.ts";
import type { Event } from "../../event.ts";
import { shardOf } from "../../hash.ts";
import type { Aggregate } from "../../operator.ts";
import type { Target, WindowPlan } from "../../plan.ts";
import type { Keyed } from "../../state/key-map.ts";
import { hashOf, KeyMap, mix } from "../../state/key-map.ts";
import type { Window } from "../../windows/window.ts";
import { windowsOf } from "../../windows/window.ts";
import { copyOf, storable } from "../accumulator.ts";
import type { DeadEvent, PackedEvent } from "../segment.ts";
import { packEvent, packPartial } from "../segment.ts";
import type { Failure, Passage } from "./passage.ts";

/** One thing that goes to one shard: a record, a dead event, or a number of events that filters dropped. */
export interface Item {
  readonly target: Target;
  readonly shard: number;
  readonly record?: readonly [key: string, partial: unknown, n: number];
  /** The latest event time in the record. */
  readonly time?: number;
  readonly dead?: DeadEvent;
  readonly dropped?: number;
}

interface Tally {
  /** By key, or by key and window. */
  readonly records: KeyMap<Combined>;
  /** Records of operators that see each event; they are not combined. */
  readonly each: (readonly [record: readonly [key: string, event: PackedEvent, n: number], time: number])[];
  readonly dead: DeadEvent[];
  /** How many its records and dead events account for; filters dropped the others. */
  events: number;
  /** The serial number of the last event that is accounted for. */
  accounted: number;
}

interface Folded {
  readonly event: Event<unknown>;
  readonly n: number;
}

/** One key's events, folded. */
interface Combined extends Keyed {
  readonly window: Window | undefined;
  partial: unknown;
  n: number;
  /** The latest event time. */
  time: number;
  /** What was folded, to fold it again without an event that spoils it; not kept for numbers, which nothing can spoil. */
  events: Folded[] | undefined;
  /** An event has thrown: from then on the partial is copied before the hook may change it. */
  careful: boolean;
}

export class Combiner {
  readonly #tallies: Map<Target, Tally>;
  #events = 0;
  #serial = 0;

  constructor(targets: readonly Target[]) {
    this.#tallies = new Map(
      targets.map((target) => [
        target,
        { records: new KeyMap(), each: [], dead: [], events: 0, accounted: 0 },
      ]),
    );
  }

  get events(): number {
    return this.#events;
  }

  /**
   * Takes what became of an event. Each event is accounted for once per target: applied, dropped or dead.
   *
   * @param counts 0 for what is sent again while another record of its event was counted.
   */
  add(passage: Passage, counts: 0 | 1 = 1): void {
    this.#events += counts;
    this.#serial++;
    for (const { target, event, port } of passage.routed) {
      const tally = this.#tally(target);
      try {
        this.#fold(target, tally, event, port, counts);
      } catch (error) {
        const failed = port === 0 ? event : { ...event, port };
        this.#bury({ target, operator: target.name, error: messageOf(error), event: failed }, counts);
      }
    }
    for (const failure of passage.failed) this.#bury(failure, counts);
  }

  /**
   * `counts` for the first that asks for this event, then 0: whatever becomes of the rest, it is accounted for.
   *
   * @param counts undefined when something else will account for it.
   */
  #account(tally: Tally, counts: number | undefined): number {
    if (counts === undefined || tally.accounted === this.#serial) return 0;
    tally.accounted = this.#serial;
    tally.events += counts;
    return counts;
  }

  #bury({ target, operator, error, event }: Failure, counts: number): void {
    const tally = this.#tally(target);
    tally.dead.push({ operator, error, event: sendable(event), n: this.#account(tally, counts) });
  }

  /** What goes to the shards. @param producer decides the shard of what has no key. */
  items(producer: string): Item[] {
    const items: Item[] = [];
    for (const [target, tally] of this.#tallies) {
      const first = items.length;
      const shard = (key: string) => shardOf(target.keyed ? key : producer, target.shards);
      this.#refoldSpoilt(target, tally);
      for (const { key, window, partial, n, time, events } of tally.records.entries) {
        // All of its events have spoilt it.
        if (events?.length === 0) continue;
        const value = window === undefined ? partial : packPartial(window, partial);
        items.push({ target, shard: shard(key), record: [key, value, n], time });
      }
      for (const [record, time] of tally.each) items.push({ target, shard: shard(record[0]), record, time });
      const anchor = items[first]?.shard ?? shardOf(producer, target.shards);
      for (const dead of tally.dead) items.push({ target, shard: anchor, dead });
      const dropped = this.#events - tally.events;
      if (dropped > 0) items.push({ target, shard: anchor, dropped });
    }
    return items;
  }

  #fold(target: Target, tally: Tally, event: Event<unknown>, port: number, counts: number): void {
    const { key = "", time } = event;
    if (target.kind === "aggregate") {
      this.#foldInto(target.aggregate, tally, key, undefined, event, counts);
    } else if (target.kind === "window" && target.combined) {
      this.#foldIntoWindows(target, tally, event, counts);
    } else {
      mustBeJson(event.data);
      tally.each.push([[key, packEvent(event, port), this.#account(tally, counts)], time]);
    }
  }

  #foldIntoWindows({ aggregate, window }: WindowPlan, tally: Tally, event: Event<unknown>, counts: number) {
    const { key = "", time } = event;
    // In processing time the shard says which window it is.
    const windows = window.assigner.time === "event" ? windowsOf(window.assigner, time, event) : [undefined];
    // Before it changes any of them: it counts in all of its windows, or in none.
    if (windows.length > 1) scalarStorable(aggregate.add(aggregate.create(), event));
    const last = windows.length - 1;
    windows.forEach((one, n) => {
      // It is accounted for with its last window: when that is late, all are.
      this.#foldInto(aggregate, tally, key, one, event, n === last ? counts : undefined);
    });
  }

  #foldInto(
    aggregate: Aggregate<unknown, unknown, unknown>,
    tally: Tally,
    key: string,
    window: Window | undefined,
    event: Event<unknown>,
    counts: number | undefined,
  ): void {
    const { time } = event;
    let hash = hashIn(window, key);
    let known = tally.records.find(key, hash);
    // Another window of the key may have the same hash: this one goes by the next that is free.
    while (known !== undefined && !isSame(known.window, window)) known = tally.records.find(key, ++hash);
    if (known === undefined) {
      const partial = scalarStorable(aggregate.add(aggregate.create(), event));
      const n = this.#account(tally, counts);
      const events = typeof partial === "object" ? [{ event, n }] : undefined;
      tally.records.add({ key, hash, window, partial, n, time, events, careful: false });
      return;
    }
    if (known.events === undefined) {
      const partial = scalarStorable(aggregate.add(known.partial, event));
      if (typeof partial === "object") throw new TypeError("the accumulator was no object and became one");
      known.partial = partial;
      known.n += this.#account(tally, counts);
      if (time > known.time) known.time = time;
      return;
    }
    try {
      const own = known.careful ? copyOf(known.partial) : known.partial;
      known.partial = scalarStorable(aggregate.add(own, event));
    } catch (error) {
      // The hook may have changed its argument before it threw.
      if (!known.careful)
        known.partial = known.events.reduce(
          (partial, one) => aggregate.add(partial, one.event),
          aggregate.create(),
        );
      known.careful = true;
      throw error;
    }
    const n = this.#account(tally, counts);
    known.n += n;
    known.time = Math.max(known.time, time);
    known.events.push({ event, n });
  }

  /** Takes the events out that make a partial one that would not come back from the queue as it is. */
  #refoldSpoilt(target: Target, { records, dead }: Tally): void {
    if (target.kind !== "aggregate" && target.kind !== "window") return;
    const { aggregate } = target;
    for (const one of records.entries) {
      const { events } = one;
      if (events === undefined || isStorable(one.partial)) continue;
      const good: Folded[] = [];
      Object.assign(one, { partial: undefined, n: 0, events: good, careful: true });
      for (const { event, n } of events) {
        try {
          const own = good.length === 0 ? aggregate.create() : copyOf(one.partial);
          one.partial = storable(aggregate.add(own, event));
          one.n += n;
          good.push({ event, n });
        } catch (error) {
          dead.push({ operator: target.name, error: messageOf(error), event: sendable(event), n });
        }
      }
    }
  }

  #tally(target: Target): Tally {
    return this.#tallies.get(target) as Tally;
  }
}

/** By numbers, since a text of key and window would have to be written, and read to the end, for each event. */
function hashIn(window: Window | undefined, key: string): number {
  const hash = hashOf(key);
  return window === undefined ? hash : mix(mix(hash, window.start), window.end);
}

function isSame(one: Window | undefined, other: Window | undefined): boolean {
  return one?.end === other?.end && one?.start === other?.start;
}

/** @throws TypeError when a message cannot hold it: it must not fail its neighbours. */
function mustBeJson(data: unknown): void {
  if (typeof data !== "object" && typeof data !== "bigint") return;
  JSON.stringify(data);
}

/** The event as a message can hold it: what its source made may be circular or a bigint, and must not fail its neighbours. */
function sendable(event: Event<unknown>): Event<unknown> {
  try {
    JSON.stringify(event.data);
    return event;
  } catch (error) {
    return { ...event, data: `not JSON: ${messageOf(error)}` };
  }
}

/** The cheap half of the check, for each event: most accumulators are numbers, and objects are looked at once, at the end. */
function scalarStorable(partial: unknown): unknown {
  return typeof partial === "object" && partial !== null ? partial : storable(partial);
}

function isStorable(partial: unknown): boolean {
  if (typeof partial !== "object") return true;
  try {
    storable(partial);
    return true;
  } catch {
    return false;
  }
}
