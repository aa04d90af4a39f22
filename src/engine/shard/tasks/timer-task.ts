/** TimerTask: fires the timers of a process function's keys when they are due. */
import type { Shard } from "../shard.ts";
import { fireTimers, nextTimerOf } from "../timers.ts";
import type { Task } from "./task.ts";
import { Backoff } from "./task.ts";

export class TimerTask implements Task {
  readonly name = "timers";
  readonly #shard: Shard;
  readonly #guard: <T>(work: () => T) => T;
  readonly #backoff = new Backoff();

  /** @param guard runs what changes the shard. */
  constructor(shard: Shard, guard: <T>(work: () => T) => T) {
    this.#shard = shard;
    this.#guard = guard;
  }

  dueAt(): number | undefined {
    const next = nextTimerOf(this.#shard);
    return next === undefined ? undefined : Math.max(next, this.#backoff.until);
  }

  async run(): Promise<void> {
    const { clock } = this.#shard.options;
    try {
      // Between two commits, calls that wait get their turn.
      while (this.#guard(() => fireTimers(this.#shard, clock.now()))) await Promise.resolve();
      if (this.#shard.busy) this.#backoff.failed(clock.now());
      else this.#backoff.succeeded();
    } catch (error) {
      this.#backoff.failed(clock.now());
      throw error;
    }
  }
}
