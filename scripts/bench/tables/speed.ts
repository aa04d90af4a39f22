/** Tables of throughput and latency. */
import { table } from "../../plan/table.ts";
import type { Latency } from "../latency.ts";
import type { Ceiling } from "../results.ts";
import type { Throughput } from "../throughput.ts";
import { ms, n, spread, times } from "./figures.ts";

export function ceilingTable(ceilings: readonly Ceiling[], throughput: readonly Throughput[]): string[] {
  const rows = ceilings.map(({ eventsARequest, requestsPerSecond }) => {
    const limits = throughput
      .filter((one) => one.contender === "limit" && one.eventsARequest === eventsARequest)
      .map((one) => one.requestsPerSecond.median);
    const most = Math.max(...limits);
    return [n(eventsARequest), n(requestsPerSecond), times(requestsPerSecond / most)];
  });
  return table(["events a request", "requests/s", "× limit"], rows, [0, 1, 2]);
}

export function throughputTable(all: readonly Throughput[]): string[] {
  const of = (one: Throughput, contender: string) =>
    all.find((other) => other.workload === one.workload && other.contender === contender)?.endToEndPerSecond
      .median;
  const rows = all.map((one, at) => [
    all[at - 1]?.workload === one.workload ? "" : one.workload,
    one.contender,
    n(one.requestsPerSecond.median),
    n(one.acceptedPerSecond.median),
    n(one.endToEndPerSecond.median),
    spread(one.endToEndPerSecond),
    times(one.endToEndPerSecond.median / (of(one, "limit") ?? Number.NaN)),
    times(one.endToEndPerSecond.median / (of(one, "naive") ?? Number.NaN)),
    one.cpuSecondsPerMillion.toFixed(1),
    n(one.peakMegabytes),
    one.refused === 0 ? "" : n(one.refused),
  ]);
  const head = [
    "",
    "",
    "requests/s",
    "accepted/s",
    "end to end/s",
    "±",
    "× limit",
    "× naive",
    "CPU s/M",
    "MB",
    "429s",
  ];
  return table(head, rows, [2, 3, 4, 5, 6, 7, 8, 9, 10]);
}

export function latencyTable(all: readonly Latency[]): string[] {
  const rows = all.map((one) => [
    one.workload,
    one.contender,
    n(one.requestsPerSecond),
    ms(one.post.p50),
    ms(one.post.p99),
    ms(one.readable.p50),
    ms(one.readable.p99),
    n(one.readable.count),
  ]);
  const head = ["", "", "requests/s", "POST p50", "p99", "readable p50", "p99", "marks"];
  return table(head, rows, [2, 3, 4, 5, 6, 7]);
}
