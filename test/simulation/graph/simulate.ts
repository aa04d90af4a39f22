/** Simulate: runs one seed of the simulation of graphs, from the job that it draws to the verdict. */
import { Random } from "../random.ts";
import type { Accepted } from "./expected.ts";
import type { FaultCounts } from "./faults.ts";
import { FIXED_SPECS } from "./fixed-specs.ts";
import { pulledAt } from "./functions.ts";
import { randomSpec } from "./random-spec.ts";
import { recount } from "./recount.ts";
import { settle } from "./settle.ts";
import type { JobSpec } from "./spec.ts";
import { compare } from "./verdict.ts";
import { Violation } from "./violation.ts";
import type { GraphOptions } from "./world.ts";
import { GraphWorld } from "./world.ts";

const STEPS = 220;

/** What one seed came to. */
export interface GraphOutcome {
  readonly faults: FaultCounts;
  readonly accepted: number;
  /** Events written by sinks. */
  readonly written: number;
  /** All that was written, and how often which shard wrote: the same for the same seed. */
  readonly trace: string;
}

/** The job of a seed: every third is one of the fixed ones. */
export function specOf(seed: number): JobSpec {
  if (seed % 3 === 0) return FIXED_SPECS[(seed / 3) % FIXED_SPECS.length] as JobSpec;
  return randomSpec(new Random(seed * 7 + 1));
}

/** Every tenth seed is a steady one. */
export function optionsOf(seed: number): GraphOptions {
  return { steady: seed % 10 === 0 };
}

/** @throws Violation that names the seed, what is wrong, and the job. */
export async function simulateGraph(
  seed: number,
  options: GraphOptions = optionsOf(seed),
): Promise<GraphOutcome> {
  const spec = specOf(seed);
  try {
    return await run(new GraphWorld(spec, new Random(seed), options));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Violation(`seed ${seed}: ${reason}\njob: ${JSON.stringify(spec)}`, { cause: error });
  }
}

async function run(world: GraphWorld): Promise<GraphOutcome> {
  for (let step = 0; step < STEPS; step++) {
    world.act();
    await world.tick();
    if (step % 3 === 2) world.ledger.check();
  }
  await settle(world);
  const accepted = acceptedBy(world);
  compare(world, recount(world.spec, accepted), recount(world.spec, accepted, "old"));
  return outcomeOf(world, accepted.length);
}

function acceptedBy({ spec, ingest }: GraphWorld): Accepted[] {
  const pulled = spec.nodes.flatMap((node): Accepted[] => {
    if (node.kind !== "pull") return [];
    const { name: source, total } = node;
    return Array.from({ length: total }, (_, offset) => ({
      source,
      datum: pulledAt(source, offset),
      version: "mended",
    }));
  });
  return [...ingest.accepted(), ...pulled];
}

function outcomeOf({ faults, clock, shards, target }: GraphWorld, accepted: number): GraphOutcome {
  const batches = [...target.batches];
  const writes = [...shards.all.values()].map(({ name, crashing }) => [name, crashing.writes]);
  return {
    faults: faults.counts,
    accepted,
    written: batches.reduce((sum, [, { events }]) => sum + events.length, 0),
    trace: JSON.stringify([clock.now(), writes, batches]),
  };
}
