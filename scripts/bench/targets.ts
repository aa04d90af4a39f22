/** Targets: what the bench is to show, and what it has shown. */
import { many } from "../plan/estimate/lines.ts";
import type { Results } from "./results.ts";
import type { Throughput } from "./throughput.ts";

export interface Target {
  readonly what: string;
  readonly wanted: string;
  readonly found: string;
  /** Undefined when this run has not measured it. */
  readonly met: boolean | undefined;
}

export function targetsOf(results: Results): Target[] {
  const { throughput, latency, costs, scale, heap } = results;
  const row = (workload: string, contender: string) =>
    throughput.find((one) => one.workload === workload && one.contender === contender);
  const endToEnd = (one: Throughput | undefined) => one?.endToEndPerSecond.median;
  const accepted = (one: Throughput | undefined) => one?.requestsPerSecond.median;
  const own = (workload: string) => row(workload, "millrace");
  const five = "500 a request, 200 URLs";
  const one = "1 a request, 200 URLs";
  const crowded = `${one}, 128 connections`;
  const moderate = latency.find((found) => found.contender === "millrace" && found.workload === one);
  const cost = (events: number, keys: string) =>
    costs.find(
      (found) =>
        found.contender === "millrace" && found.eventsARequest === events && found.workload.endsWith(keys),
    );
  const dollars = (events: number) => cost(events, "200 URLs")?.bill.counted;
  const uniform = cost(1_000, "1M URLs");
  const scaled = (keys: number, shards: number) =>
    scale.find((found) => found.keys === keys && found.shards === shards);
  const million = scaled(1_000_000, 4);
  return [
    atLeast(
      "end to end, 500 a request, against limit",
      0.5,
      ratio(endToEnd(own(five)), endToEnd(row(five, "limit"))),
    ),
    atLeast("the same against naive", 50, ratio(endToEnd(own(five)), endToEnd(row(five, "naive")))),
    atLeast(
      "1 a request, accepted, against limit",
      0.5,
      ratio(accepted(own(one)), accepted(row(one, "limit"))),
    ),
    atLeast(
      "the same over 128 connections",
      0.5,
      ratio(accepted(own(crowded)), accepted(row(crowded, "limit"))),
    ),
    atMost("posted until readable, p50, ms", 100, moderate?.readable.p50),
    atMost("posted until readable, p99, ms", 500, moderate?.readable.p99),
    // Of states that are full: the workloads over 1M URLs begin with an empty one.
    ...[1, 4, 16].map((shards) =>
      atLeast(
        `throughput at 1M keys against 1,000, ${many(shards, "shard")}`,
        0.8,
        ratio(scaled(1_000_000, shards)?.eventsPerSecond, scaled(1_000, shards)?.eventsPerSecond),
      ),
    ),
    atMost("top=10 at 1M keys, p99, ms", 20, million?.top.p99),
    atMost("one key at 1M keys, p99, ms", 20, million?.oneKey.p99),
    atMost(
      "heap of the shards' isolate at 1M keys, MB, alive",
      128,
      heap.find(({ keys }) => keys === 1_000_000)?.live,
    ),
    atMost("the same with garbage, at the peak", 128, heap.find(({ keys }) => keys === 1_000_000)?.peak),
    atMost("$ a million events, 1 a request", 0.6, dollars(1)),
    atMost("$ a million events, 100 a request", 0.02, dollars(100)),
    atMost("$ a million events, 1,000 a request", 0.005, dollars(1_000)),
    atMost(
      "rows written an event, 1M uniform URLs, 1,000 a request",
      0.05,
      uniform && uniform.counts.rowsWritten / uniform.bill.events,
    ),
  ];
}

function ratio(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a / b;
}

function atLeast(what: string, least: number, found: number | undefined): Target {
  return {
    what,
    wanted: `≥ ${least}`,
    found: figure(found),
    met: found === undefined ? undefined : found >= least,
  };
}

function atMost(what: string, most: number, found: number | undefined): Target {
  return {
    what,
    wanted: `≤ ${most}`,
    found: figure(found),
    met: found === undefined ? undefined : found <= most,
  };
}

function figure(value: number | undefined): string {
  if (value === undefined) return "not measured";
  return value === Number.POSITIVE_INFINITY ? "never" : String(Number(value.toPrecision(3)));
}
