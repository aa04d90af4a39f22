/**
 * Combiner: folds the events of one request into one record per operator and key.
 *
 * This is where a hot key becomes cheap: a thousand views of one page leave here as one record. Only events of one
 * segment are combined, since two segments must stay separable when one of them turns out to be a duplicate.
 */
import { messageOf } from "../../errors.ts";
import type { Event } from "../../event.ts";
import { shardOf } from "../../hash.ts";
import type { Target } from "../../plan.ts";
import type { DeadEvent } from "../segment.ts";
import type { Passage } from "./chain.ts";

/** One thing that goes to one shard: a record, a dead event, or a number of events that filters dropped. */
export interface Item {
  readonly target: Target;
  readonly shard: number;
  readonly record?: readonly [key: string, partial: unknown, n: number];
  readonly dead?: DeadEvent;
  readonly dropped?: number;
}

interface Tally {
  readonly records: Map<string, { partial: unknown; n: number }>;
  /** Records of operators that see each event; they are not combined. */
  readonly each: [key: string, event: Event<unknown>, n: number][];
  readonly dead: DeadEvent[];
  dropped: number;
}

export class Combiner {
  readonly #tallies: Map<Target, Tally>;
  #events = 0;

  constructor(targets: readonly Target[]) {
    this.#tallies = new Map(
      targets.map((target) => [target, { records: new Map(), each: [], dead: [], dropped: 0 }]),
    );
  }

  get events(): number {
    return this.#events;
  }

  /** Takes an event and what became of it. Each event is accounted for once per target: applied, dropped or dead. */
  add(event: Event<unknown>, passage: Passage): void {
    this.#events++;
    const accounted = new Set<Target>();
    const once = (target: Target): number => {
      if (accounted.has(target)) return 0;
      accounted.add(target);
      return 1;
    };
    const bury = (target: Target, operator: string, error: string) => {
      this.#tally(target).dead.push({ operator, error, event, n: once(target) });
    };
    for (const { target, event: routed } of passage.routed) {
      try {
        this.#fold(target, routed, once);
      } catch (error) {
        bury(target, target.name, messageOf(error));
      }
    }
    for (const { target, operator, error } of passage.failed) bury(target, operator, error);
    for (const [target, tally] of this.#tallies) tally.dropped += once(target);
  }

  /** What goes to the shards. @param producer decides the shard of what has no key, where nothing else does. */
  items(producer: string): Item[] {
    const items: Item[] = [];
    for (const [target, tally] of this.#tallies) {
      const first = items.length;
      const shard = (key: string) => shardOf(key, target.shards);
      for (const [key, { partial, n }] of tally.records)
        items.push({ target, shard: shard(key), record: [key, partial, n] });
      for (const record of tally.each) items.push({ target, shard: shard(record[0]), record });
      const anchor = items[first]?.shard ?? shard(producer);
      for (const dead of tally.dead) items.push({ target, shard: anchor, dead });
      if (tally.dropped > 0) items.push({ target, shard: anchor, dropped: tally.dropped });
    }
    return items;
  }

  #fold(target: Target, event: Event<unknown>, once: (target: Target) => number): void {
    const { key = "" } = event;
    const { records, each } = this.#tally(target);
    if (target.kind === "local") {
      each.push([key, event, once(target)]);
      return;
    }
    const { aggregate } = target;
    const known = records.get(key);
    if (known === undefined) {
      const partial = aggregate.add(aggregate.create(), event);
      records.set(key, { partial, n: once(target) });
    } else {
      known.partial = aggregate.add(known.partial, event);
      known.n += once(target);
    }
  }

  #tally(target: Target): Tally {
    return this.#tallies.get(target) as Tally;
  }
}
