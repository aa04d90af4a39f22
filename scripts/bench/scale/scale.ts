/** Scale: how throughput, memory, wake-up and reads change with the number of keys and of shards. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Contender } from "../contender.ts";
import { restartContender, startContender, VIEW } from "../contender.ts";
import type { LoadGenerator } from "../load/driver.ts";
import type { Percentiles } from "../load/protocol.ts";
import { memory, peakMemory, resetPeak } from "../process.ts";
import { withRegister } from "../sources.ts";
import { CONNECTIONS, workloadOf } from "../workloads.ts";

export interface Scale {
  readonly keys: number;
  readonly shards: number;
  /** End to end, 500 a request, spread evenly over keys that are all known. */
  readonly eventsPerSecond: number;
  /** Resident MB beyond an empty start: with everything in it, at the peak, and right after waking up. */
  readonly megabytes: number;
  readonly peakMegabytes: number;
  readonly wokenMegabytes: number;
  /** From the restart of the runtime until all shards have answered, ms, beyond what an empty one takes. */
  readonly wakeUp: number;
  readonly oneKey: Percentiles;
  readonly top: Percentiles;
}

const EVENTS = 500;
const READS = 500;

export async function measureScale(
  generator: LoadGenerator,
  keys: number,
  shards: number,
  options: { readonly seconds: number; readonly wait: number | "config" },
): Promise<Scale> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-bench-"));
  const contender = await startContender("millrace", withRegister(register(shards), folder), {
    queueWait: options.wait,
  });
  try {
    await contender.rest();
    await restartContender(contender);
    const emptyWake = await firstAnswer(contender);
    const empty = memory(contender.pid);
    resetPeak(contender.pid);

    await send(contender, generator, { ...workloadOf(EVENTS, keys), spread: "in turn" }, keys, 600);
    const eventsPerSecond = await send(
      contender,
      generator,
      workloadOf(EVENTS, keys),
      Infinity,
      options.seconds,
    );
    const full = memory(contender.pid);
    const peak = peakMemory(contender.pid);

    await restartContender(contender);
    const wake = await firstAnswer(contender);
    const woken = memory(contender.pid);
    const read = async (path: string) =>
      (await generator.run({ kind: "read", to: contender.address, path, keys, times: READS })).times;
    const oneKey = await read(`${VIEW}?key=*`);
    const top = await read(`${VIEW}?top=10`);
    return {
      ...{ keys, shards, eventsPerSecond, oneKey, top },
      megabytes: full - empty,
      peakMegabytes: peak - empty,
      wokenMegabytes: woken - empty,
      wakeUp: Math.max(0, wake - emptyWake),
    };
  } finally {
    await contender.runtime.dispose();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The slope of a straight line through the points on logarithmic axes: 1 means in proportion, 0 not at all. */
export function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const logs = points.filter(([x, y]) => x > 0 && y > 0).map(([x, y]) => [Math.log(x), Math.log(y)] as const);
  const mean = (axis: 0 | 1) => logs.reduce((sum, point) => sum + point[axis], 0) / logs.length;
  const [mx, my] = [mean(0), mean(1)];
  const over = logs.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0);
  return over / logs.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
}

async function send(
  contender: Contender,
  generator: LoadGenerator,
  workload: ReturnType<typeof workloadOf>,
  maxEvents: number,
  seconds: number,
): Promise<number> {
  const { accepted, startedAt } = await generator.run({
    kind: "flood",
    to: contender.address,
    ...{ workload, maxEvents, seconds },
    connections: CONNECTIONS,
    from: 0,
  });
  contender.accepted += accepted;
  return accepted / (((await contender.settled(60)) - startedAt) / 1000);
}

async function firstAnswer(contender: Contender): Promise<number> {
  const started = performance.now();
  await contender.total();
  return performance.now() - started;
}

/** The clickstream job with another number of shards. */
function register(shards: number): string {
  const path = (file: string) => JSON.stringify(fileURLToPath(new URL(`../../../${file}`, import.meta.url)));
  return `
    import { Job, planJobs } from ${path("src/index.ts")};
    import { ClickReader } from ${path("workers/jobs/clickstream/click-reader.ts")};
    import { PageViewCounter } from ${path("workers/jobs/clickstream/page-view-counter.ts")};
    const job = new Job("clickstream");
    const clicks = job.addSource(new ClickReader("clicks"));
    clicks.keyBy((click) => click.url).applyOperator(new PageViewCounter("page-views", { shards: ${shards} }));
    export const plan = planJobs([job], { generation: 1 });
  `;
}
