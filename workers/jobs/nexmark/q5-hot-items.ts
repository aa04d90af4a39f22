/**
 * Nexmark's query 5, hot items: every two seconds, the auctions with the most bids in the last ten. Ties all count.
 *
 * Two stages: bids are counted per auction and window, all over the shards; then the largest counts of a window are found
 * in one place. A result carries the last millisecond of its window as its event time, so all counts of the ten seconds
 * that end at E fall into the two seconds that end at E, and into no others: that is the second stage's window.
 */
import { count, hopping, Job, planJobs, topResults, tumbling } from "../../../src/index.ts";
import { isBid } from "./model.ts";
import { NexmarkSource } from "./nexmark-source.ts";

const SLIDE = "2 seconds";

export const job = new Job("nexmark-q5");

export const hotItems = job
  .addSource(new NexmarkSource("events"))
  .filter(isBid)
  .keyBy(({ auction }) => String(auction))
  .window(hopping("10 seconds", SLIDE))
  .aggregate("bids-per-auction", count())
  .keyBy(() => "all")
  .window(tumbling(SLIDE))
  .aggregate("hot-items", topResults(1));

export const plan = planJobs([job]);
