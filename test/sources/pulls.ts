/** What the tests of pull sources share: a source in a job in memory, whose events all end in one list. */

import { messageOf } from "../../src/errors.ts";
import type { PullSource, SinkBatch } from "../../src/index.ts";
import { Job, JobStarter, Sink, VirtualClock } from "../../src/index.ts";

export const START = Date.UTC(2026, 10, 26, 8, 15, 30);

export interface Seen {
  readonly id: string;
  /** ISO 8601. */
  readonly time: string;
  readonly data: unknown;
}

class Collecting extends Sink<unknown> {
  readonly seen: Seen[] = [];

  async write({ events }: SinkBatch<unknown>): Promise<void> {
    for (const { id, time, data } of events) this.seen.push({ id, time: new Date(time).toISOString(), data });
  }
}

export class PullRun {
  readonly clock: VirtualClock;
  readonly errors: string[] = [];
  readonly #starter: JobStarter;
  readonly #sink = new Collecting("collected");

  constructor(
    source: PullSource<unknown>,
    { start = START, env = {} }: { start?: number; env?: Readonly<Record<string, unknown>> } = {},
  ) {
    this.clock = new VirtualClock(start);
    const job = new Job("job");
    job.addSource(source).addSink(this.#sink);
    this.#starter = new JobStarter(job, {
      clock: this.clock,
      env,
      onError: (error) => this.errors.push(messageOf(error)),
    });
  }

  /** All events so far. */
  get seen(): readonly Seen[] {
    return this.#sink.seen;
  }

  /** Does what is due by now. */
  async now(): Promise<void> {
    for (;;) {
      await this.#starter.run({});
      const due = this.#starter.shards.nextDue();
      if (due === undefined || due > this.clock.now()) return;
    }
  }

  /** Lets time pass, and does what comes due on the way when it does. */
  async pass(ms: number): Promise<void> {
    const end = this.clock.now() + ms;
    await this.now();
    for (;;) {
      const due = this.#starter.shards.nextDue() ?? Number.POSITIVE_INFINITY;
      this.clock.advance(Math.min(Math.max(due, this.clock.now()), end) - this.clock.now());
      await this.now();
      if (this.clock.now() === end) return;
    }
  }

  /** Time passes while nothing runs. */
  sleep(ms: number): void {
    this.clock.advance(ms);
  }
}

/** What a source answers to one call, as the engine makes it. */
export function requestOf<Offset>(offset: Offset | undefined, now: number, limit = 1000) {
  return { offset, now, limit, env: {} };
}
