/**
 * Nexmark's query 7, highest bid: the bids with the highest price of each ten seconds. Ties all count.
 *
 * Two stages: bids are parted by auction, only to share the work, and each part finds its highest; then the parts are
 * compared in one place, which gets no more than one result per part and window.
 */
import { Job, planJobs, tumbling } from "../../../src/index.ts";
import { HighestBids, HighestOfAll } from "./highest-bids.ts";
import { isBid } from "./model.ts";
import { NexmarkSource } from "./nexmark-source.ts";

const PERIOD = "10 seconds";
const PARTS = 16;

export const job = new Job("nexmark-q7");

export const highestBid = job
  .addSource(new NexmarkSource("events"))
  .filter(isBid)
  .keyBy(({ auction }) => `part-${auction % PARTS}`)
  .window(tumbling(PERIOD))
  .applyOperator(new HighestBids("highest-per-part"))
  .keyBy(() => "all")
  .window(tumbling(PERIOD))
  .applyOperator(new HighestOfAll("highest-bid"));

export const plan = planJobs([job]);
