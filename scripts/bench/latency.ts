/** Latency: at a moderate rate that all contenders can take, of the answer and of the event until it can be read. */
import type { Contender } from "./contender.ts";
import { VIEW } from "./contender.ts";
import type { LoadGenerator } from "./load/driver.ts";
import type { Percentiles, Workload } from "./load/protocol.ts";

/** Requests a second, at most, and events a second, at most. */
const MODERATE_REQUESTS = 200;
const MODERATE_EVENTS = 2_000;

export interface Latency {
  readonly workload: string;
  readonly contender: string;
  readonly requestsPerSecond: number;
  readonly post: Percentiles;
  readonly readable: Percentiles;
}

export async function measureLatency(
  contenders: readonly Contender[],
  generator: LoadGenerator,
  workload: Workload,
  seconds: number,
): Promise<Latency[]> {
  const rate = Math.min(MODERATE_REQUESTS, MODERATE_EVENTS / workload.events);
  const found: Latency[] = [];
  // These two keep nothing that could be read.
  for (const contender of contenders.filter(({ name }) => name !== "limit" && name !== "queued")) {
    const { accepted, post, readable } = await generator.run({
      kind: "steady",
      to: contender.address,
      ...{ workload, seconds, rate },
      readPath: `${VIEW}?key=`,
    });
    contender.accepted += accepted;
    await contender.settled();
    found.push({
      workload: workload.name,
      contender: contender.name,
      requestsPerSecond: rate,
      post,
      readable,
    });
  }
  return found;
}
