/** Meter: the bill of a run, at list prices, from what was counted in it. */
import { OBJECT_GIGABYTES, prices } from "../../src/cloudflare/prices.ts";
import type { Counts } from "./meter/counts.ts";

export interface BillLine {
  readonly what: string;
  readonly count: number;
  readonly dollarsPerMillion: number;
  readonly dollars: number;
  /** Not counted but measured or assumed. */
  readonly estimate: boolean;
}

export interface Bill {
  readonly pricesAsOf: string;
  readonly events: number;
  readonly lines: readonly BillLine[];
  /** Of what was counted. */
  readonly counted: number;
  /** With the estimates. */
  readonly withEstimates: number;
}

/**
 * Dollars are for a million events.
 *
 * @param cpuSeconds of the whole local runtime, its queue and its HTTP among them: an upper bound.
 */
export function bill(counts: Counts, cpuSeconds: number, events: number): Bill {
  const line = (what: string, count: number, price: number, estimate = false): BillLine => ({
    what,
    count,
    dollarsPerMillion: price,
    // A price is for a million of `count`, and the bill for a million events.
    dollars: (count * price) / events,
    estimate,
  });
  const lines = [
    line("Worker requests", counts.requests + counts.batches, prices.workerRequest),
    line("queue operations", counts.writes + counts.reads + counts.deletes, prices.queueOperation),
    line("object requests", counts.objectRequests, prices.objectRequest),
    line("rows written", counts.rowsWritten, prices.rowWritten),
    line("rows read", counts.rowsRead, prices.rowRead),
    line("R2, class A", counts.r2ClassA, prices.r2ClassA),
    line("R2, class B", counts.r2ClassB, prices.r2ClassB),
    line("CPU, ms", cpuSeconds * 1000, prices.cpuMillisecond, true),
    line(
      "object duration, GB-s",
      // As long as calls took here, where a disk confirms what the platform sends to other places first.
      (counts.objectMilliseconds / 1000) * OBJECT_GIGABYTES,
      prices.gigabyteSecond,
      true,
    ),
  ];
  const sum = (of: readonly BillLine[]) => of.reduce((total, { dollars }) => total + dollars, 0);
  return {
    pricesAsOf: prices.asOf,
    events,
    lines,
    counted: sum(lines.filter(({ estimate }) => !estimate)),
    withEstimates: sum(lines),
  };
}
