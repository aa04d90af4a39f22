/** TestRuntime: queues, executors and shards of one job on a clock of their own; runs until nothing is left for now. */
import { VirtualClock } from "../clock.ts";
import { MemoryShards } from "../engine/memory-shards.ts";
import { OperatorExecutor } from "../engine/operator-executor.ts";
import type { ShardCall, ShardReply } from "../engine/shard/protocol.ts";
import { StageExecutor } from "../engine/stage-executor.ts";
import type { Plan, QueueNames, SourcePlan, StagePlan } from "../plan.ts";
import { queuesOf } from "../plan.ts";
import { Random } from "./random.ts";
import { TestQueue } from "./test-queue.ts";

/** What may go wrong on the way, without a right to change any result. */
export interface Faults {
  /** Every queue message is delivered twice, and every call to a shard is made twice. */
  readonly duplicates?: boolean;
  /**
   * All records of a `send` are under way at once and are delivered in an order, and in batches, that follow from this
   * seed.
   */
  readonly shuffle?: number;
  /** After every `send` and `advance` all shards wake anew from their stores. */
  readonly restarts?: boolean;
}

/** Something that failed and was, or will be, tried again. */
export interface TestFailure {
  /** Virtual time, epoch milliseconds. */
  readonly time: number;
  /** Where, like `alert-hook/0: sink`. */
  readonly about: string;
  readonly error: unknown;
}

export interface TestRuntimeOptions {
  readonly start: number;
  readonly env: Readonly<Record<string, unknown>>;
  readonly faults: Faults;
}

/** A source that always has more, or a timer that sets itself again without delay, would never let time go on. */
const MAX_ROUNDS = 2_000;

export class TestRuntime {
  readonly plan: Plan;
  readonly clock: VirtualClock;
  readonly shards: MemoryShards;
  readonly failures: TestFailure[] = [];
  readonly #faults: Faults;
  readonly #queues: ReadonlyMap<string, TestQueue>;
  #operators: OperatorExecutor;
  #stages: StageExecutor;

  constructor(plan: Plan, { start, env, faults }: TestRuntimeOptions) {
    this.plan = plan;
    this.clock = new VirtualClock(start);
    this.#faults = faults;
    const { duplicates = false, shuffle } = faults;
    const queueOptions = { duplicates, random: shuffle === undefined ? undefined : new Random(shuffle) };
    this.#queues = new Map(
      queuesOf(plan).map(({ queue }) => [queue.queue, new TestQueue(this.clock, queueOptions)]),
    );
    const shardOptions = {
      clock: this.clock,
      queue: (stage: StagePlan) => this.queue(stage.queue),
      env,
      onError: (error: unknown, about: string) => this.#failed(error, about),
    };
    this.shards = duplicates ? new RepeatingShards(plan, shardOptions) : new MemoryShards(plan, shardOptions);
    this.#operators = this.#newOperators();
    this.#stages = this.#newStages();
  }

  queue({ queue }: QueueNames): TestQueue {
    return this.#queues.get(queue) as TestQueue;
  }

  /**
   * Does all that can be done at this time. Stages, sinks and pull sources are waited for, however long they take.
   *
   * @throws Error when that never ends.
   */
  async settle(): Promise<void> {
    const waiting = [...this.#queues.values()].reduce((sum, queue) => sum + queue.size, 0);
    for (let round = 0; round < MAX_ROUNDS + waiting; round++) {
      this.shards.wake();
      await this.shards.idle();
      let delivered = false;
      for (const owner of queuesOf(this.plan)) {
        if (await this.#deliver(owner)) delivered = true;
      }
      if (await this.shards.watermarks.run()) delivered = true;
      if (!delivered && (this.#nextDue() ?? Number.POSITIVE_INFINITY) > this.clock.now()) return;
    }
    throw new Error(
      `at ${new Date(this.clock.now()).toISOString()} there is always more to do; is a timer set to now again and again, or does a pull source always give a \`next\` that has come?`,
    );
  }

  /**
   * Moves time on to `time`, stopping wherever something is due.
   *
   * @param onStop is called after each stop.
   */
  async advanceTo(time: number, onStop: () => void): Promise<void> {
    for (;;) {
      await this.settle();
      onStop();
      const now = this.clock.now();
      if (now >= time) return;
      this.clock.advance(Math.min(this.#nextDue() ?? time, time) - now);
    }
  }

  /** Shards wake anew from their stores; executors forget what they have only in memory. */
  restart(): void {
    this.shards.restart();
    this.#operators = this.#newOperators();
    this.#stages = this.#newStages();
  }

  get faults(): Faults {
    return this.#faults;
  }

  #nextDue(): number | undefined {
    const due = [
      this.shards.nextDue(),
      this.shards.watermarks.nextDue(),
      ...[...this.#queues.values()].map((queue) => queue.nextDue()),
    ];
    const known = due.filter((at) => at !== undefined);
    return known.length === 0 ? undefined : Math.min(...known);
  }

  async #deliver(owner: SourcePlan | StagePlan): Promise<boolean> {
    return this.queue(owner.queue).deliver(owner.queue.batchSize, (batch) =>
      "stage" in owner
        ? this.#stages.consume(owner, batch)
        : this.#operators.consume(owner.queue.queue, batch),
    );
  }

  #newOperators(): OperatorExecutor {
    return new OperatorExecutor({
      plan: this.plan,
      shards: this.shards,
      clock: this.clock,
      queue: ({ queue }) => this.queue(queue),
      // There is one plan, and nothing outlives it.
      claims: { claim: async (_producer, _fingerprint, sequences) => sequences.map(() => true) },
      graveyard: {
        bury: async ({ id, queue, reason }) => this.#failed(new Error(reason), `${queue}: message ${id}`),
      },
      watermarks: this.shards.watermarks,
      random: noJitter,
      onError: (error, about) => this.#failed(error, about),
    });
  }

  #newStages(): StageExecutor {
    return new StageExecutor({
      plan: this.plan,
      shards: this.shards,
      clock: this.clock,
      watermarks: this.shards.watermarks,
      // Between two tries of one event no time passes: what is behind it in the queue would have to wait for it.
      wait: async () => undefined,
      random: noJitter,
      onError: (error, about) => this.#failed(error, about),
    });
  }

  #failed(error: unknown, about: string): void {
    this.failures.push({ time: this.clock.now(), about, error });
  }
}

/** Makes each call twice, as after a reply that was lost. */
class RepeatingShards extends MemoryShards {
  override async apply(call: ShardCall): Promise<ShardReply> {
    const reply = await super.apply(call);
    await super.apply(call);
    return reply;
  }
}

function noJitter(): number {
  return 1;
}
