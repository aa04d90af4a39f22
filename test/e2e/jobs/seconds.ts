/** Windows of a second, right behind a source and behind a stage that waits for a gate; and logs to be replayed. */
import type { Collector, Event, SourceCollector } from "../../../src/index.ts";
import { count, Job, planJobs, Source, stage, tumbling } from "../../../src/index.ts";

export interface Tick {
  readonly key: string;
  readonly time?: number;
  /** A URL that answers 200 when it may pass. */
  readonly gate?: string;
}

class Ticks extends Source<Tick> {
  getEvents(input: unknown, collector: SourceCollector<Tick>): void {
    const tick = input as Tick;
    collector.emit(tick, { time: tick.time });
  }
}

const job = new Job("seconds");
const ticks = job.addSource(new Ticks("ticks", { outOfOrderness: "1 second" }));
const direct = ticks
  .keyBy(({ key }) => key)
  .window(tumbling("1 second"))
  .aggregate("per-second", count(), { shards: 3 });
direct.late.keyBy(({ key }) => key).aggregate("late", count(), { shards: 1 });

const gated = ticks
  .filter(({ gate }) => gate !== undefined)
  .applyOperator(
    stage({
      name: "let-through",
      concurrency: 50,
      retries: 20,
      async apply(event: Event<Tick>, collector: Collector<Tick>) {
        const answer = await fetch(event.data.gate as string);
        await answer.body?.cancel();
        if (!answer.ok) throw new Error("the gate is closed");
        collector.emit(event.data);
      },
    }),
  )
  .keyBy(({ key }) => key)
  .window(tumbling("1 second"))
  .aggregate("behind-the-gate", count(), { shards: 2 });
gated.late.keyBy(({ key }) => key).aggregate("late-behind-the-gate", count(), { shards: 1 });

for (const name of ["log", "long-log"]) {
  const windows = job
    .addSource(new Ticks(name, { outOfOrderness: "10 seconds" }))
    .keyBy(({ key }) => key)
    .window(tumbling("10 seconds"))
    .aggregate(`${name}-windows`, count());
  windows.late.keyBy(({ key }) => key).aggregate(`late-${name}`, count(), { shards: 1 });
}

export const jobs = [job];
export const plan = planJobs(jobs);
