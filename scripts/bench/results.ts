/** Results: all that one run of the bench has found; what --json writes. */
import type { Cost } from "./costs.ts";
import type { Heap } from "./inspect/heap.ts";
import type { Profile } from "./inspect/profile.ts";
import type { Latency } from "./latency.ts";
import type { Machine } from "./machine.ts";
import type { Scale } from "./scale/scale.ts";
import type { Throughput } from "./throughput.ts";
import type { Viewing } from "./viewers.ts";

export interface Results {
  readonly machine: Machine;
  /** How the contenders' queues were set. */
  readonly queueWait: number | "config";
  readonly rounds: number;
  readonly seconds: number;
  readonly ceilings: Ceiling[];
  readonly throughput: Throughput[];
  readonly latency: Latency[];
  readonly costs: Cost[];
  readonly scale: Scale[];
  readonly viewers: Viewing[];
  readonly heap: Heap[];
  readonly profile: Profile[];
}

/** Of the load generator. */
export interface Ceiling {
  readonly eventsARequest: number;
  readonly requestsPerSecond: number;
}
