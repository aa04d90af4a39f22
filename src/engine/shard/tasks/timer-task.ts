/** TimerTask: fires timers when they are due, and goes on with those in event time where the last call had to stop. */

import { watermarkOf } from "../counters.ts";
import type { Shard } from "../shard.ts";
import { fireEventTimers, fireTimers, nextTimerOf } from "../timers.ts";
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
    const { counters } = this.#shard;
    const event = nextTimerOf(this.#shard, "event") ?? Number.POSITIVE_INFINITY;
    const next = event <= watermarkOf(counters) ? 0 : nextTimerOf(this.#shard);
    return next === undefined ? undefined : Math.max(next, this.#backoff.until);
  }

  async run(): Promise<void> {
    const { clock } = this.#shard.options;
    try {
      // Between two commits, calls that wait get their turn.
      const fire = () => fireEventTimers(this.#shard) || fireTimers(this.#shard, clock.now());
      while (this.#guard(fire)) await Promise.resolve();
      if (this.#shard.busy) this.#backoff.failed(clock.now());
      else this.#backoff.succeeded();
    } catch (error) {
      this.#backoff.failed(clock.now());
      throw error;
    }
  }
}
