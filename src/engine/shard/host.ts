/**
 * ShardHost: a shard and what it does by itself: emptying its outbox, firing timers, writing batches, asking a source.
 *
 * Whoever holds a host calls `run` after each call and whenever `nextDue` has come (on Workers: by alarm). Tasks wait
 * for things outside while calls go on; what they change of the shard goes through `guard`.
 */
import { ShardRefusedError } from "../../errors.ts";
import type { Plan } from "../../plan.ts";
import { ONE_REQUEST } from "../usage.ts";
import { advance } from "./advance.ts";
import type { ShardPorts } from "./ports.ts";
import type { AdvanceCall, AdvanceReply, ShardCall, ShardReply } from "./protocol.ts";
import type { Shard } from "./shard.ts";
import { OutboxTask } from "./tasks/outbox-task.ts";
import { PullTask } from "./tasks/pull-task.ts";
import { SinkTask } from "./tasks/sink-task.ts";
import type { Task } from "./tasks/task.ts";
import { TimerTask } from "./tasks/timer-task.ts";
import { WantTask } from "./tasks/want-task.ts";
import { fireEventTimers } from "./timers.ts";

export interface ShardHostOptions {
  readonly plan: Plan;
  readonly shard: Shard;
  readonly ports: ShardPorts;
  /** The shard has failed half-way: memory may be ahead of storage, and both it and this host must be thrown away. */
  readonly onBroken?: (error: unknown) => void;
}

/** A source that always has more would go on for ever: what is left is done by the next run. */
const MAX_ROUNDS = 100;

export class ShardHost {
  readonly shard: Shard;
  readonly #options: ShardHostOptions;
  readonly #tasks: readonly Task[];
  readonly #running = new Map<Task, Promise<void>>();
  #closed = false;

  constructor(options: ShardHostOptions) {
    this.#options = options;
    this.shard = options.shard;
    this.#tasks = this.#newTasks();
  }

  /** @throws what `Shard.apply` throws. */
  apply(call: ShardCall): ShardReply {
    this.shard.usage.add(ONE_REQUEST);
    return this.guard((shard) => {
      // What the watermark has passed goes first: a crash, or a full outbox, may have cut it off.
      while (fireEventTimers(shard));
      return shard.apply(call);
    });
  }

  /** @throws what `advance` throws. */
  advance(call: AdvanceCall): AdvanceReply {
    this.shard.usage.add(ONE_REQUEST);
    return this.guard((shard) => advance(this.#options.plan, shard, call));
  }

  /**
   * Runs a synchronous piece of work on the shard. If it fails in any way but a refusal, the host is closed.
   *
   * @throws what `work` throws, and Error when the host is closed.
   */
  readonly guard = <T>(work: (shard: Shard) => T): T => {
    if (this.#closed) throw new Error("this shard was closed");
    try {
      return work(this.shard);
    } catch (error) {
      if (!(error instanceof ShardRefusedError)) {
        this.close();
        this.#options.onBroken?.(error);
      }
      throw error;
    }
  };

  /** When there is something to do, epoch milliseconds (in the past: now); undefined when there is nothing. */
  nextDue(): number | undefined {
    const due = this.#tasks.map((task) => task.dueAt()).filter((at) => at !== undefined);
    return due.length === 0 ? undefined : Math.min(...due);
  }

  /**
   * Does everything that is due, and what becomes due by it, and waits for what was under way before. A task is never
   * started twice at a time, and one that fails stops no other.
   */
  async run(): Promise<void> {
    for (let round = 0; round < MAX_ROUNDS && !this.#closed; round++) {
      const now = this.shard.options.clock.now();
      for (const task of this.#tasks) {
        if ((task.dueAt() ?? Number.POSITIVE_INFINITY) > now) continue;
        if (this.#running.has(task)) task.more?.();
        else this.#start(task);
      }
      if (this.#running.size === 0) return;
      await Promise.all(this.#running.values());
    }
  }

  /** Nothing may change the shard any more: it was replaced, or has failed. */
  close(): void {
    this.#closed = true;
  }

  #start(task: Task): void {
    const { ports } = this.#options;
    const { operator, shard } = this.shard.options;
    const run = task
      .run()
      .catch((error: unknown) => ports.onError?.(error, `${operator.name}/${shard}: ${task.name}`))
      .finally(() => this.#running.delete(task));
    this.#running.set(task, run);
  }

  #newTasks(): Task[] {
    const { plan, shard, ports } = this.#options;
    const { operator } = shard.options;
    const guard = <T>(work: () => T): T => this.guard(work);
    const tasks: Task[] = [];
    // Also without readers: those of the last deployment may have left something in it.
    tasks.push(new OutboxTask(plan, shard, ports));
    if (operator.kind === "process" || operator.kind === "window") tasks.push(new TimerTask(shard, guard));
    if (operator.eventTime.uses) tasks.push(new WantTask(shard, ports));
    if (operator.kind === "sink") tasks.push(new SinkTask(shard, operator, ports, guard));
    if (operator.kind === "pull") tasks.push(new PullTask(shard, ports, guard));
    return tasks;
  }
}
