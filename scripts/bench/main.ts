/** Main: what `bench` does, part by part. */
import { writeFileSync } from "node:fs";
import { type Contender, startContender } from "./contender.ts";
import { measureCosts } from "./costs.ts";
import { measureHeap } from "./inspect/heap.ts";
import { measureProfile } from "./inspect/profile.ts";
import { measureLatency } from "./latency.ts";
import { LoadGenerator } from "./load/driver.ts";
import { machine } from "./machine.ts";
import { help, type Options, readOptions } from "./options.ts";
import { report } from "./report.ts";
import type { Results } from "./results.ts";
import { measureScale } from "./scale/scale.ts";
import { configsOf, plain } from "./sources.ts";
import { measureCeiling, measureThroughput } from "./throughput.ts";
import { measureViewers } from "./viewers.ts";
import { chosen, workloadOf } from "./workloads.ts";

/** @returns the exit code. @throws UsageError; Error when a contender does not hold what it accepted. */
export async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (options.help) {
    console.log(help);
    return 0;
  }
  const { rounds, seconds, wait: queueWait, json } = options;
  const results: Results = {
    ...{ machine: machine(), queueWait, rounds, seconds },
    ...{
      ceilings: [],
      throughput: [],
      latency: [],
      costs: [],
      scale: [],
      viewers: [],
      heap: [],
      profile: [],
    },
  };
  const generator = new LoadGenerator();
  try {
    if (options.scale) await scale(options, generator, results);
    else if (options.viewers) results.viewers.push(...(await measureViewers(options)));
    else if (options.profile) await profile(options, generator, results);
    else await compare(options, generator, results);
  } finally {
    generator.stop();
  }
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(results, null, 2)}\n`);
  console.log(report(results));
  return 0;
}

async function compare(options: Options, generator: LoadGenerator, results: Results): Promise<void> {
  const { quick, parts, contenders: names } = options;
  const workloads = chosen(quick, options.only);
  const contenders: Contender[] = [];
  try {
    if (parts.includes("throughput") || parts.includes("latency")) {
      for (const name of names) {
        tell(`starting ${name}`);
        contenders.push(await startContender(name, plain(configsOf(name)), { queueWait: options.wait }));
      }
      for (const contender of contenders) await contender.rest();
    }
    if (parts.includes("latency")) {
      for (const events of quick ? [1] : [1, 100, 500]) {
        tell(`latency, ${events} a request`);
        const workload = workloadOf(events, 200);
        results.latency.push(...(await measureLatency(contenders, generator, workload, quick ? 4 : 10)));
      }
    }
    if (parts.includes("throughput")) {
      for (const events of new Set(workloads.map((workload) => workload.events))) {
        const requestsPerSecond = await measureCeiling(generator, workloadOf(events, 200));
        results.ceilings.push({ eventsARequest: events, requestsPerSecond });
      }
      for (const workload of workloads) {
        tell(workload.name);
        results.throughput.push(...(await measureThroughput(contenders, generator, workload, options)));
      }
    }
  } finally {
    for (const contender of contenders) await contender.runtime.dispose();
  }
  if (!parts.includes("cost")) return;
  tell("costs");
  results.costs.push(...(await measureCosts(generator, options)));
}

async function scale(options: Options, generator: LoadGenerator, results: Results): Promise<void> {
  const { quick } = options;
  for (const shards of quick ? [4] : [1, 4, 16]) {
    for (const keys of quick ? [1_000, 1_000_000] : [1_000, 10_000, 100_000, 1_000_000]) {
      tell(`${keys} keys on ${shards} shards`);
      results.scale.push(await measureScale(generator, keys, shards, options));
    }
  }
  for (const keys of [1_000, 1_000_000]) {
    tell(`heap at ${keys} keys`);
    results.heap.push(await measureHeap(generator, keys));
  }
}

async function profile({ seconds }: Options, generator: LoadGenerator, results: Results): Promise<void> {
  for (const workload of [workloadOf(1, 200), workloadOf(500, 200), workloadOf(500, 1_000_000)]) {
    tell(`profile, ${workload.name}`);
    results.profile.push(...(await measureProfile(generator, workload, seconds)));
  }
}

function tell(what: string): void {
  console.error(`… ${what}`);
}
