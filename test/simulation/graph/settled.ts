/** Settled: a world in which everything has come to its end, as the verdict looks at it. */
import type { SimulatedShards } from "./shards.ts";
import type { JobSpec } from "./spec.ts";
import type { Target } from "./target.ts";

export interface Settled {
  readonly spec: JobSpec;
  readonly shards: SimulatedShards;
  readonly target: Target;
}
