/** Runner: a thread that runs the seeds it is given, and tells what each came to. */
import { parentPort } from "node:worker_threads";
import { simulateEventTime } from "../../test/simulation/event-time/simulate.ts";
import { simulateGraph } from "../../test/simulation/graph/simulate.ts";
import { simulate } from "../../test/simulation/world.ts";
import type { WorldName } from "./options.ts";

/** Some seeds of one world. */
export interface Batch {
  readonly world: WorldName;
  readonly from: number;
  readonly seeds: number;
}

/** What they came to. */
export interface BatchResult {
  readonly world: WorldName;
  readonly seeds: number;
  /** In how many seeds each fault struck. */
  readonly struck: Readonly<Record<string, number>>;
  readonly failures: readonly { readonly seed: number; readonly reason: string }[];
}

parentPort?.on("message", (batch: Batch) => {
  void run(batch).then((result) => parentPort?.postMessage(result));
});

async function run({ world, from, seeds }: Batch): Promise<BatchResult> {
  const struck: Record<string, number> = {};
  const failures: { seed: number; reason: string }[] = [];
  for (let seed = from; seed < from + seeds; seed++) {
    try {
      for (const [kind, count] of Object.entries(await countsOf(world, seed))) {
        struck[kind] = (struck[kind] ?? 0) + (count > 0 ? 1 : 0);
      }
    } catch (error) {
      failures.push({ seed, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  return { world, seeds, struck, failures };
}

async function countsOf(world: WorldName, seed: number): Promise<Readonly<Record<string, number>>> {
  if (world === "event-time") return { ...(await simulateEventTime(seed)) };
  if (world === "graphs") return (await simulateGraph(seed)).faults;
  return { ...(await simulate(seed, { forgetful: seed % 10 === 0 })) };
}
