/** Stage: an operator that waits or is impure, behind a queue of its own, so that it holds up nobody else. */
import type { Collector } from "./collector.ts";
import type { Event } from "./event.ts";
import type { OperatorContext } from "./operator.ts";

/**
 * An operator that may wait (a lookup over HTTP, a slow model) or whose result may differ from one run to the next.
 *
 * ```ts
 * const located = clicks.applyOperator(stage({
 *   name: "locate",
 *   concurrency: 10,
 *   async apply(event: Event<Click>, collector: Collector<Located>) {
 *     const answer = await fetch(`https://geo.example/${event.data.ip}`);
 *     collector.emit({ ...event.data, country: await answer.text() });
 *   },
 * }));
 * ```
 *
 * Guarantee: `apply` may run more than once for an event (a crash, a redelivery), but what exactly one of the runs
 * emitted goes on; whatever it did outside (a request) happened at least once.
 */
export abstract class Stage<In, Out = never> {
  /** Type only, as in Operator. */
  declare protected readonly takes?: (data: In) => void;

  readonly name: string;
  readonly options: StageOptions;

  constructor(name: string, options: StageOptions = {}) {
    this.name = name;
    this.options = options;
  }

  abstract apply(event: Event<In>, collector: Collector<Out>, context: OperatorContext): void | Promise<void>;
}

export interface StageOptions {
  /** Events of a batch that are worked on at the same time; 1 by default. */
  readonly concurrency?: number;
  /** Messages that one batch takes from the queue, 1 to 100; 10 by default. */
  readonly batchSize?: number;
  /** Batches that the platform may work on at the same time, 1 to 250; as many as it likes by default. */
  readonly maxConsumers?: number;
  /** How often an event whose `apply` throws is tried again before it goes to dead letters; 2 by default. */
  readonly retries?: number;
  /** Messages in the stage's queue from which on ingest answers 429; the deployment's mark by default. */
  readonly highWater?: number;
  /** How many shards remember what has been done; 1 by default. */
  readonly shards?: number;
}

/** A stage from an object; see Stage. */
export function stage<In, Out = never>(
  definition: StageOptions & {
    readonly name: string;
    apply(event: Event<In>, collector: Collector<Out>, context: OperatorContext): void | Promise<void>;
  },
): Stage<In, Out> {
  return new StageFromObject(definition);
}

class StageFromObject<In, Out> extends Stage<In, Out> {
  readonly definition: Parameters<typeof stage<In, Out>>[0];

  constructor(definition: Parameters<typeof stage<In, Out>>[0]) {
    const { name, apply: _, ...options } = definition;
    super(name, options);
    this.definition = definition;
  }

  apply(event: Event<In>, collector: Collector<Out>, context: OperatorContext): void | Promise<void> {
    return this.definition.apply(event, collector, context);
  }
}
