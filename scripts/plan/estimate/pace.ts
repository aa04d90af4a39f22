/** Pace: what the rate of a workload says: how full batches are, and what goes by the clock. */
import { HOLD_MS } from "../../../src/engine/watermark/holds.ts";
import type { QueueNames } from "../../../src/plan.ts";
import type { Workload } from "./workload.ts";

/** How long it takes until all of it has come, seconds; undefined where nobody says: then all is as full as it may be. */
export function secondsOf({ events, rate }: Workload): number | undefined {
  return rate === undefined ? undefined : events / rate;
}

/**
 * Messages of a batch, on average: what comes while the queue waits for it to fill, besides the first. At least: consumers
 * that are all busy leave more to the next batch.
 */
export function batchOf(
  { batchSize, batchSeconds }: Pick<QueueNames, "batchSize" | "batchSeconds">,
  messages: number,
  seconds: number | undefined,
): number {
  if (seconds === undefined) return batchSize;
  return Math.min(batchSize, Math.floor(1 + (messages / seconds) * batchSeconds));
}

/** How often a source says that it begins to send, and that what it has sent is all: once in so long, from one isolate. */
export function holdsOf(requests: number, seconds: number | undefined): number {
  return seconds === undefined ? 0 : Math.min(requests, Math.ceil((seconds * 1000) / HOLD_MS));
}
