/** Metered run: sends a workload to a contender whose Workers are counted, and makes out the bill. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RuntimeOptions } from "../../local/runtime.ts";
import { type Contender, startContender } from "../contender.ts";
import type { LoadGenerator } from "../load/driver.ts";
import type { Workload } from "../load/protocol.ts";
import { type Bill, bill } from "../meter.ts";
import { cpuSeconds } from "../process.ts";
import { type ContenderName, configsOf, meteredSources } from "../sources.ts";
import { CONNECTIONS } from "../workloads.ts";
import { type Counts, differenceOf, sumOf } from "./counts.ts";
import { COUNTS_HEADER } from "./instrument.ts";

/** Workers that keep counts of their own; the query Worker's are reads, which nobody adds up. */
const COUNTED = ["millrace", "millrace-operator", "bench-limit", "bench-naive", "bench-synchronous"];

export interface MeteredRun {
  readonly counts: Counts;
  readonly bill: Bill;
}

/** Runs `work` against a contender of which everything is counted. */
export async function withMetered<T>(
  name: ContenderName,
  options: Pick<RuntimeOptions, "queueWait">,
  work: (contender: Contender) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-bench-"));
  try {
    const contender = await startContender(name, meteredSources(configsOf(name), folder), options);
    try {
      return await work(contender);
    } finally {
      await contender.runtime.dispose();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export async function countsOf({ runtime }: Pick<Contender, "runtime">): Promise<Counts> {
  const all: Counts[] = [];
  for (const name of COUNTED) {
    const worker = await runtime.miniflare.getWorker(name).catch(() => undefined);
    if (worker === undefined) continue;
    const response = await worker.fetch("http://bench/", { headers: { [COUNTS_HEADER]: "1" } });
    all.push((await response.json()) as Counts);
  }
  return sumOf(all);
}

/** A first part of the load, which births tables and fills checkpoints, is not on the bill. */
export async function meter(
  contender: Contender,
  generator: LoadGenerator,
  workload: Workload,
  events: number,
): Promise<MeteredRun> {
  const to = contender.address;
  const send = async (most: number, from: number) => {
    const { accepted } = await generator.run({
      kind: "flood",
      ...{ to, workload, from },
      connections: CONNECTIONS,
      seconds: 60,
      maxEvents: most,
    });
    contender.accepted += accepted;
    if (contender.name !== "limit") await contender.settled();
    return accepted;
  };
  const warmUp = Math.ceil(events / 4);
  await send(warmUp, 0);
  const before = await countsOf(contender);
  const cpuBefore = cpuSeconds(contender.pid);
  const accepted = await send(events, Math.ceil(warmUp / workload.events));
  const cpu = cpuSeconds(contender.pid) - cpuBefore;
  const after = await countsOf(contender);
  const counts = { ...differenceOf(after, before), objects: after.objects };
  return { counts, bill: bill(counts, cpu, accepted) };
}
