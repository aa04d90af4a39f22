/**
 * Exercise 6: an operator that takes five seconds for each click, and what keeps its queue from overflowing.
 *
 * It is a stage: it has a queue of its own, so it may wait, and holds up nobody but those who read it. When twenty
 * messages wait in that queue, ingest answers 429 until there are fewer: who sends too fast is told so, instead of being
 * taken at his word and forgotten later.
 */
import type { Collector, Event } from "../../../src/index.ts";
import { Job, planJobs, stage } from "../../../src/index.ts";
import type { Click } from "../clickstream/click-event.ts";
import { ClickReader } from "../clickstream/click-reader.ts";
import { PageViewCounter } from "../clickstream/page-view-counter.ts";

export const HIGH_WATER = 20;

/** @param delay what each click takes, milliseconds: tests have no five seconds. */
export function slowJob(delay: number): Job {
  const job = new Job("exercise-6");
  const clicks = job.addSource(new ClickReader("clicks"));

  const slow = stage({
    name: "slow",
    concurrency: 1,
    // One message at a time by one consumer: on Cloudflare, too, so that the queue is all that grows.
    batchSize: 1,
    maxConsumers: 1,
    highWater: HIGH_WATER,
    async apply({ data }: Event<Click>, collector: Collector<Click>) {
      await new Promise((resolve) => setTimeout(resolve, delay));
      collector.emit(data);
    },
  });
  clicks
    .applyOperator(slow)
    .keyBy(({ url }) => url)
    .applyOperator(new PageViewCounter("page-views"));
  return job;
}

export const job = slowJob(5_000);

export const plan = planJobs([job]);
