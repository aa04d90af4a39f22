/**
 * Profile: where the Workers' own code spends its time, function by function.
 *
 * V8 samples by the clock, and an isolate that is not running keeps the place where it stopped, so figures are shares of
 * the samples that were in JavaScript of ours. What the runtime itself does (HTTP, timers, the local queue) is not in it.
 */
import { SourceMap } from "node:module";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { LoadGenerator } from "../load/driver.ts";
import type { Workload } from "../load/protocol.ts";
import { configsOf, countingJob, plain } from "../sources.ts";
import { CONNECTIONS } from "../workloads.ts";
import { type Inspected, inspected } from "./inspector.ts";

export interface Profile {
  readonly workload: string;
  readonly worker: string;
  readonly functions: readonly { readonly name: string; readonly at: string; readonly share: number }[];
}

interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { functionName: string; url: string; lineNumber: number; columnNumber: number };
  }[];
  readonly samples: readonly number[];
}

const WORKERS = ["millrace", "millrace-operator"];
const SHOWN = 15;
const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

export async function measureProfile(
  generator: LoadGenerator,
  workload: Workload,
  seconds: number,
): Promise<Profile[]> {
  const run = async ({ address: to, attach, script }: Inspected) => {
    const job = { kind: "flood", to, workload, connections: CONNECTIONS, maxEvents: 1e9 } as const;
    await generator.run({ ...job, from: 0, seconds: 2 });
    const sessions = await Promise.all(WORKERS.map(attach));
    for (const session of sessions) {
      await session.call("Profiler.enable");
      await session.call("Profiler.setSamplingInterval", { interval: 200 });
      await session.call("Profiler.start");
    }
    await generator.run({ ...job, from: 1_000, seconds });
    const profiles: Profile[] = [];
    for (const [n, session] of sessions.entries()) {
      const { profile } = await session.call<{ profile: CpuProfile }>("Profiler.stop");
      const worker = WORKERS[n] as string;
      profiles.push({ workload: workload.name, worker, functions: shares(profile, mapOf(script(worker))) });
    }
    return profiles;
  };
  return inspected(plain(configsOf("millrace")), run, countingJob);
}

function shares({ nodes, samples }: CpuProfile, map: SourceMap): Profile["functions"] {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const hits = new Map<string, { name: string; at: string; count: number }>();
  let all = 0;
  for (const sample of samples) {
    const frame = frames.get(sample);
    if (frame === undefined || frame.url === "") continue;
    all++;
    const { originalSource, originalLine } = map.findEntry(frame.lineNumber, frame.columnNumber) as {
      originalSource?: string;
      originalLine?: number;
    };
    const file = originalSource?.replace(/^(\.\.\/)+/, "") ?? "?";
    const at = `${relative(ROOT, file.startsWith(ROOT) ? file : ROOT + file)}:${(originalLine ?? 0) + 1}`;
    const name = frame.functionName || "(anonymous)";
    const known = hits.get(`${name} ${at}`);
    if (known === undefined) hits.set(`${name} ${at}`, { name, at, count: 1 });
    else known.count++;
  }
  return [...hits.values()]
    .sort((a, b) => b.count - a.count)
    .slice(0, SHOWN)
    .map(({ name, at, count }) => ({ name, at, share: count / all }));
}

function mapOf(script: string): SourceMap {
  const encoded = /\/\/# sourceMappingURL=data:application\/json;base64,([\w+/=]+)/.exec(script)?.[1] ?? "";
  return new SourceMap(
    JSON.parse(Buffer.from(encoded, "base64").toString() || '{"version":3,"sources":[],"mappings":""}'),
  );
}
