/** Heap: what the isolate of the shards holds with many keys, as V8 itself counts it. */
import { setTimeout as sleep } from "node:timers/promises";
import type { LoadGenerator } from "../load/driver.ts";
import { configsOf, plain } from "../sources.ts";
import { CONNECTIONS, workloadOf } from "../workloads.ts";
import { inspected, type Session } from "./inspector.ts";

/** Megabytes. All shards of this deployment share the isolate; on the platform each may have one of its own. */
export interface Heap {
  readonly keys: number;
  /** What is alive after a collection: objects, and the bytes of buffers. */
  readonly live: number;
  readonly buffers: number;
  /** The most that was in use at a look, garbage included; ten looks a second. */
  readonly peak: number;
}

interface HeapUsage {
  readonly usedSize: number;
  readonly backingStorageSize?: number;
}

const OPERATOR = "millrace-operator";
const LOOK_MS = 100;
const MEGABYTE = 2 ** 20;

export async function measureHeap(generator: LoadGenerator, keys: number): Promise<Heap> {
  return inspected(plain(configsOf("millrace")), async ({ address: to, attach, total }) => {
    const session = await attach(OPERATOR);
    const job = { kind: "flood", to, connections: CONNECTIONS, from: 0 } as const;
    let accepted = 0;
    let peak = 0;
    let running = true;
    const looking = (async () => {
      while (running) {
        const { used } = await usage(session);
        peak = Math.max(peak, used);
        await sleep(LOOK_MS);
      }
    })();
    const fill = { ...workloadOf(500, keys), spread: "in turn" } as const;
    accepted += (await generator.run({ ...job, workload: fill, seconds: 600, maxEvents: keys })).accepted;
    const again = workloadOf(500, keys);
    accepted += (await generator.run({ ...job, workload: again, seconds: 5, maxEvents: 1e9 })).accepted;
    while ((await total()) < accepted) await sleep(LOOK_MS);
    running = false;
    await looking;
    // A snapshot collects garbage first, and unlike a mere collection it comes to an end here. It is not looked at.
    await session.call("HeapProfiler.takeHeapSnapshot");
    const { used, buffers } = await usage(session);
    return { keys, live: used / MEGABYTE, buffers: buffers / MEGABYTE, peak: peak / MEGABYTE };
  });
}

async function usage(session: Session): Promise<{ used: number; buffers: number }> {
  const { usedSize, backingStorageSize = 0 } = await session.call<HeapUsage>("Runtime.getHeapUsage");
  return { used: usedSize + backingStorageSize, buffers: backingStorageSize };
}
