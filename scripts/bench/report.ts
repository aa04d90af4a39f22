/** Report: results as tables for people. */
import { table } from "../plan/table.ts";
import type { Results } from "./results.ts";
import { costTable, paperTable } from "./tables/cost.ts";
import { heapTable, profileTable, scaleTable, slopeTable } from "./tables/scale.ts";
import { ceilingTable, latencyTable, throughputTable } from "./tables/speed.ts";
import { viewersTable } from "./tables/viewers.ts";
import { targetsOf } from "./targets.ts";
import { CONNECTIONS } from "./workloads.ts";

export function report(results: Results): string {
  const {
    machine: m,
    queueWait,
    rounds,
    seconds,
    ceilings,
    throughput,
    latency,
    costs,
    scale,
    viewers,
    heap,
    profile,
  } = results;
  const waits = queueWait === "config" ? "as their configs say" : `set to ${queueWait} s for all`;
  return [
    `${m.date.slice(0, 16)}Z, ${m.cores} cores of ${m.cpu}, ${m.memoryGigabytes} GB, load before the start ${m.loadBefore.toFixed(2)}`,
    `millrace ${m.millrace}, workerd ${m.workerd}, miniflare ${m.miniflare}, node ${m.node}`,
    `${rounds} rounds of ${seconds} s, contenders in turn; queue waits ${waits}; ${CONNECTIONS} connections where nothing else is said`,
    ...section("The load generator, against a server that only answers", ceilingTable(ceilings, throughput)),
    ...section("Throughput (medians; ± is highest − lowest)", throughputTable(throughput)),
    ...section("Latency at a moderate rate, ms", latencyTable(latency)),
    ...section("What the platform would bill for a million events", costTable(costs)),
    ...section(
      "On paper: 1,000,000 events a second, from those counts (rates are a second)",
      paperTable(costs),
    ),
    ...section("Scale: 500 a request, keys spread evenly", scaleTable(scale)),
    ...section("How they grow (slope on logarithmic axes: 1 in proportion, 0 not at all)", slopeTable(scale)),
    ...section(
      "Viewers of a live view, 50 requests of 20 events a second (rates are a second, times ms)",
      viewersTable(viewers),
    ),
    ...section("Heap of the isolate that holds all shards, MB, in a run of its own", heapTable(heap)),
    ...profile.flatMap((one) => section(`Profile: ${one.workload}, ${one.worker}`, profileTable(one))),
    ...section("Targets, as far as they were measured", targetTable(results)),
  ].join("\n");
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length > 1 ? ["", title, "", ...lines.map((line) => `  ${line}`)] : [];
}

function targetTable(results: Results): string[] {
  const rows = targetsOf(results)
    .filter(({ met }) => met !== undefined)
    .map(({ what, wanted, found, met }) => [what, wanted, found, met ? "met" : "FALLS SHORT"]);
  return table(["", "wanted", "found", ""], rows, [1, 2]);
}
