/** Sink: takes events out of a job, in batches whose names and contents never change. */
import type { Event } from "./event.ts";

/**
 * Where events leave. Extend it and say how a batch is written:
 *
 * ```ts
 * class Lines extends Sink<Click> {
 *   async write(batch: SinkBatch<Click>) {
 *     console.log(batch.events.map((event) => event.data.url).join("\n"));
 *   }
 * }
 * clicks.addSink(new Lines("lines"));
 * ```
 *
 * Guarantee: events wait in durable state; a batch is fixed, durably, before it is first written, and is written again,
 * under the same `id` and with the same events, until `write` has resolved. So a target that knows the id (a file of
 * that name, a receiver that dedupes) has each event exactly once; any other has it at least once.
 */
export abstract class Sink<T> {
  /** Type only, as in Operator. */
  declare protected readonly takes?: (data: T) => void;

  /** What of the Worker's `env` it writes to; `npm run plan -- --write` puts it into the configs. None by default. */
  readonly bindings?: readonly SinkBinding[];

  readonly name: string;
  readonly options: SinkOptions;

  constructor(name: string, options: SinkOptions = {}) {
    this.name = name;
    this.options = options;
  }

  /** Change it when what is buffered changes its meaning. */
  get signature(): string {
    return "sink@1";
  }

  /**
   * Writes one batch. What it throws is tried again with backoff, for ever, while the buffer fills and holds up what is
   * upstream; a RejectedBatchError sends the batch's events to dead letters instead, and `context.reject` single ones.
   */
  abstract write(batch: SinkBatch<T>, context: SinkContext): Promise<void>;
}

/** A resource that a sink needs in the Worker that it runs in. Sinks may share one; its names must then agree. */
export interface SinkBinding {
  readonly kind: "r2" | "queue";
  /** What it is called in `env`: capitals, digits and underscores, like `FILES`. */
  readonly binding: string;
  /** The bucket or the queue, as the account knows it. */
  readonly name: string;
}

export interface SinkOptions {
  /** How many shards buffer and write side by side; 1 by default. */
  readonly shards?: number;
  /** A batch is written when it has so many events; 1,000 by default. */
  readonly batchEvents?: number;
  /** … or so many bytes of JSON; 1,000,000 by default. */
  readonly batchBytes?: number;
  /** … or when its first event has waited so long: milliseconds or words like "1 hour"; 0, at once, by default. */
  readonly batchTime?: number | string;
  /** … or when the UTC hour ends in which its first event came. */
  readonly hourly?: boolean;
  /** Bytes that a shard buffers before it holds up what is upstream; 16,000,000 by default. */
  readonly bufferBytes?: number;
}

export interface SinkBatch<T> {
  /** `{operator}/{shard}/{number}`: the same whenever this batch is written. */
  readonly id: string;
  readonly operator: string;
  readonly shard: number;
  /** 1, 2, 3, … of this shard. */
  readonly number: number;
  /** When its first event came to the sink, epoch milliseconds. */
  readonly opened: number;
  readonly events: readonly Event<T>[];
}

/** What a sink may use of where it runs. */
export interface SinkContext {
  /** The Worker's bindings and secrets; in memory, what the runtime was given. */
  readonly env: Readonly<Record<string, unknown>>;
  /**
   * This event of the batch will never be taken: it becomes a dead letter with this reason when `write` resolves, and
   * the rest of the batch counts as written. Forgotten when `write` throws.
   */
  reject(event: Event<unknown>, reason: string): void;
}
