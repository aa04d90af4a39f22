/**
 * JobStarter: runs a job in memory, with the article's executors: a source loop, a queue, an operator loop.
 *
 * It is the same engine as on Workers (events, segments, shards, views), over a queue and stores in memory.
 */
import type { Clock } from "../clock.ts";
import { systemClock } from "../clock.ts";
import type { Job } from "../job.ts";
import type { Plan, QueueNames } from "../plan.ts";
import { planJobs, queuesOf, stagesOf } from "../plan.ts";
import { byRank } from "../state/top-index.ts";
import { MemoryQueue } from "./memory-queue.ts";
import { MemoryShards } from "./memory-shards.ts";
import { OperatorExecutor } from "./operator-executor.ts";
import { Producer } from "./producer.ts";
import { ProducerKind } from "./segment.ts";
import type { DeadLetter, ViewEntry } from "./shard/protocol.ts";
import type { Totals } from "./shard/reader.ts";
import { readKey, readRange, readTop, readTotals } from "./shard/reader.ts";
import type { WindowRange, WindowViewEntry } from "./shard/window-reader.ts";
import { readWindows } from "./shard/window-reader.ts";
import type { Rejection } from "./source/reader.ts";
import { SourceExecutor } from "./source-executor.ts";
import { StageExecutor } from "./stage-executor.ts";
import type { Reporter } from "./watermark/holds.ts";
import { Holds, timeOf } from "./watermark/holds.ts";

export interface JobStarterOptions {
  readonly clock?: Clock;
  /** Messages that a source's queue holds; a full queue makes its source wait. 1,000 by default. */
  readonly queueCapacity?: number;
  /** Messages that the operator loop takes at once. 100 by default. */
  readonly batchSize?: number;
  /** Told of each record that is not a valid event. */
  readonly onRejected?: (source: string, rejection: Rejection) => void;
  readonly onError?: (error: unknown, about: string) => void;
  /** What sinks find in their context. */
  readonly env?: Readonly<Record<string, unknown>>;
}

export interface RunOptions {
  /** Pull sources never end: they are asked until this is aborted. Without it they are asked while inputs are read. */
  readonly signal?: AbortSignal;
}

/** Records as they come, for the sources by name. */
export type Inputs = Readonly<Record<string, Iterable<unknown> | AsyncIterable<unknown>>>;

/** How often timers, retries and pull sources are looked after. */
const WAKE_MS = 20;

export class JobStarter {
  readonly plan: Plan;
  readonly shards: MemoryShards;
  readonly #queues: ReadonlyMap<string, MemoryQueue>;
  readonly #options: JobStarterOptions;
  readonly #clock: Clock;
  readonly #executor: OperatorExecutor;
  readonly #stages: StageExecutor;

  /** @throws PlanError when the job's graph makes no sense. */
  constructor(job: Job, options: JobStarterOptions = {}) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.plan = planJobs([job], { runtime: "memory" });
    this.#queues = new Map(
      queuesOf(this.plan).map(({ queue }) => [
        queue.queue,
        new MemoryQueue(options.queueCapacity, this.#clock),
      ]),
    );
    this.shards = new MemoryShards(this.plan, {
      clock: this.#clock,
      queue: ({ queue }) => this.#queueOf(queue),
      ...(options.env === undefined ? {} : { env: options.env }),
      ...(options.onError === undefined ? {} : { onError: options.onError }),
    });
    this.#executor = new OperatorExecutor({
      plan: this.plan,
      shards: this.shards,
      clock: this.#clock,
      queue: ({ queue }) => this.#queueOf(queue),
      // In memory there is one plan, and nothing outlives it.
      claims: { claim: async (_producer, _fingerprint, sequences) => sequences.map(() => true) },
      watermarks: this.shards.watermarks,
      graveyard: { bury: async ({ id, reason }) => options.onError?.(new Error(reason), `message ${id}`) },
      ...(options.onError === undefined ? {} : { onError: options.onError }),
    });
    this.#stages = new StageExecutor({
      plan: this.plan,
      shards: this.shards,
      watermarks: this.shards.watermarks,
      clock: this.#clock,
      ...(options.onError === undefined ? {} : { onError: options.onError }),
    });
  }

  /**
   * Reads all inputs to their ends and applies everything; resolves when the queues and all outboxes are empty. Timers
   * and batches that are not due by then wait for the next run.
   * Inputs are records as they would come over HTTP: a line of text or a JSON value each.
   */
  async run(inputs: Inputs, { signal }: RunOptions = {}): Promise<void> {
    const running = { sources: true };
    const loops = queuesOf(this.plan).map((owner) => this.#operatorLoop(owner, running));
    const waker = setInterval(() => {
      this.shards.wake();
      void this.shards.watermarks.run();
    }, WAKE_MS);
    this.shards.wake();
    try {
      await Promise.all(Object.entries(inputs).map(([name, records]) => this.#sourceLoop(name, records)));
      if (signal !== undefined && !signal.aborted) {
        await new Promise<void>((resolve) =>
          signal.addEventListener("abort", () => resolve(), { once: true }),
        );
      }
      await this.#drained();
    } finally {
      clearInterval(waker);
      running.sources = false;
      for (const queue of this.#queues.values()) await queue.send([]);
      await Promise.all(loops);
    }
  }

  /** What is in a queue may end in an outbox, and what is in an outbox in a queue: both must be found empty at once. */
  async #drained(): Promise<void> {
    const left = () =>
      [...this.#queues.values()].reduce((sum, queue) => sum + queue.size, 0) + this.shards.outboxSize;
    for (;;) {
      await this.shards.idle();
      if (left() === 0) return;
      await new Promise<void>((resolve) => setTimeout(resolve, 1));
    }
  }

  /** The article's source executor: get events, put them into the stream, again. */
  async #sourceLoop(name: string, records: Iterable<unknown> | AsyncIterable<unknown>): Promise<void> {
    const source = this.plan.sources.get(name);
    if (source === undefined) throw new RangeError(`the job has no source "${name}"`);
    const queue = this.#queueOf(source.queue);
    const executor = new SourceExecutor(this.plan, source);
    const producer = new Producer();
    const coordinator = this.shards.watermarks.of(source.job);
    // Where something behind the source goes by event time.
    const holds = coordinator && new Holds({ source: name });
    const report: Reporter = (said) => coordinator?.holds(said);
    let index = 0;
    for await (const value of records) {
      const held = holds?.enter(this.#clock.now(), report);
      const arrival = this.#clock.now();
      const { sequence } = producer.next;
      const reading = executor.read(
        { values: [value], places: [index++] },
        `${producer.id}.${sequence}`,
        arrival,
      );
      for (const rejection of reading.rejected) this.#options.onRejected?.(name, rejection);
      if (reading.accepted === 0 && reading.watermark === undefined) {
        held?.leave();
        continue;
      }
      const identity = {
        ...producer.next,
        kind: ProducerKind.isolate,
        arrival,
        before: producer.counted,
        single: false,
        ...timeOf(held, reading.watermark),
      };
      const { messages, segments } = executor.pack(reading, identity, queue.limits);
      producer.advance(segments.length, reading.accepted);
      held?.take(segments.length);
      await queue.send(messages);
      held?.leave();
    }
    holds?.close(Number.POSITIVE_INFINITY, report);
  }

  /** The article's operator executor: take events from the stream, apply the operator, again. */
  async #operatorLoop(
    { name, queue: names }: { readonly name: string; readonly queue: QueueNames },
    running: { sources: boolean },
  ): Promise<void> {
    const queue = this.#queueOf(names);
    const stage = stagesOf(this.plan).find((one) => one.name === name);
    const { batchSize = names.batchSize } = this.#options;
    for (;;) {
      // What another run's loop has out may come back: this one ends when nothing can come any more.
      while (queue.waiting === 0) {
        if (!running.sources && queue.size === 0) return;
        await queue.changed;
      }
      await queue.deliver(batchSize, (batch) =>
        stage === undefined ? this.#executor.consume(names.queue, batch) : this.#stages.consume(stage, batch),
      );
    }
  }

  #queueOf({ queue }: QueueNames): MemoryQueue {
    return this.#queues.get(queue) as MemoryQueue;
  }

  /** A view of the job: what the query endpoint shows of it on Workers. @throws PlanError when there is none of that name. */
  view(name: string): MemoryView {
    return new MemoryView(this.shards, name);
  }

  /** The events that operators threw on. */
  deadLetters(): DeadLetter[] {
    const views = [...this.plan.operators.keys()].map((name) => new MemoryView(this.shards, name));
    return [...views.flatMap((view) => view.deadLetters()), ...this.shards.localDeadLetters];
  }
}

/** Reads a view over its shards. */
export class MemoryView {
  readonly shards: MemoryShards;
  readonly name: string;

  constructor(shards: MemoryShards, name: string) {
    this.shards = shards;
    this.name = name;
    shards.shardsOf(name);
  }

  /**
   * Of a view of windows: what it holds, by the window's end, its length and the key.
   *
   * @param range windows that end after `from` and start before `to`, epoch milliseconds; of one key, if given.
   * @throws RangeError when the view is none of windows.
   */
  windows(range: Omit<WindowRange, "limit" | "after"> = {}): Omit<WindowViewEntry, "place">[] {
    if (this.#kind !== "window") throw new RangeError(`the view "${this.name}" is not windowed`);
    return this.shards
      .shardsOf(this.name)
      .flatMap((shard) => readWindows(shard, { ...range, limit: Number.POSITIVE_INFINITY }))
      .sort((a, b) => (a.place < b.place ? -1 : 1))
      .map(({ place: _, ...entry }) => entry);
  }

  get #kind(): string | undefined {
    return this.shards.plan.operators.get(this.name)?.kind;
  }

  /** @throws RangeError when the view is one of windows. */
  #mustBeKeyed(): void {
    if (this.#kind === "window")
      throw new RangeError(`the view "${this.name}" has a value for each window: read it with windows()`);
  }

  /** The value of a key; undefined if it was never seen. */
  get(key: string): unknown {
    this.#mustBeKeyed();
    for (const shard of this.shards.shardsOf(this.name)) {
      const entry = readKey(shard, key);
      if (entry !== undefined) return entry.value;
    }
    return undefined;
  }

  /** The first keys by value, descending, ties by key. */
  top(limit: number): ViewEntry[] {
    this.#mustBeKeyed();
    return this.shards
      .shardsOf(this.name)
      .flatMap((shard) => readTop(shard, limit))
      .sort(byRank)
      .slice(0, limit);
  }

  /** All entries in key order. */
  entries(prefix = ""): ViewEntry[] {
    this.#mustBeKeyed();
    return this.shards
      .shardsOf(this.name)
      .flatMap((shard) => readRange(shard, { prefix, limit: Number.POSITIVE_INFINITY }))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  totals(): Totals {
    const all = this.shards.shardsOf(this.name).map(readTotals);
    return all.reduce((sum, one) => ({
      keys: sum.keys + one.keys,
      total: sum.total + one.total,
      overflow: sum.overflow + one.overflow,
    }));
  }

  deadLetters(): DeadLetter[] {
    return this.shards
      .shardsOf(this.name)
      .flatMap((shard) => shard.options.store.listDeadLetters(0, Number.MAX_SAFE_INTEGER))
      .map(({ data }) => JSON.parse(data) as DeadLetter);
  }
}
