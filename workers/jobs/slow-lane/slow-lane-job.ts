/**
 * The slow-lane job: a stage that really waits for each click, to show what a queue does when its reader is too slow.
 *
 * It is exercise 6 at a speed that one can watch. Twenty clicks a second go through. What comes faster waits in the
 * stage's own queue (that of the source stays empty, since handing on is quick), and from forty messages on ingest answers
 * 429 until there are fewer: nothing that was accepted is lost, and nobody else waits.
 */
import type { Collector, Event } from "../../../src/index.ts";
import { Job, stage } from "../../../src/index.ts";
import type { Click } from "../clickstream/click-event.ts";
import { ClickReader } from "../clickstream/click-reader.ts";
import { PageViewCounter } from "../clickstream/page-view-counter.ts";

/** What each click takes. */
const WAIT_MS = 50;

export const slowLane = new Job("slow-lane");

const slow = stage({
  name: "slow",
  // One click at a time, here and on Cloudflare: the queue is all that grows.
  concurrency: 1,
  maxConsumers: 1,
  batchSize: 1,
  highWater: 40,
  async apply({ data }: Event<Click>, collector: Collector<Click>) {
    await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
    collector.emit(data);
  },
});

slowLane
  .addSource(new ClickReader("slow-clicks"))
  .applyOperator(slow)
  .keyBy((click) => click.url)
  .applyOperator(new PageViewCounter("slow-page-views"));
