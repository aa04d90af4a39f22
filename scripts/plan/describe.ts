/** The plan as plain data, in a stable order: what `--json` prints, and what the other forms are drawn from. */

import type { NodeDescription } from "../../src/graph.ts";
import type { Plan } from "../../src/index.ts";

export interface PlanDescription {
  readonly generation: number;
  readonly fingerprint: string;
  readonly jobs: readonly JobDescription[];
}

export interface JobDescription {
  readonly job: string;
  /** In the order of the job, inputs before their readers. */
  readonly nodes: readonly NodeDescription[];
  readonly sources: readonly SourceDescription[];
  readonly operators: readonly OperatorDescription[];
}

export interface SourceDescription {
  readonly name: string;
  readonly queue: string;
  readonly deadLetterQueue: string;
  readonly binding: string;
}

/** A stateful operator and, under the same name, its view. */
export interface OperatorDescription {
  readonly name: string;
  readonly shards: number;
  readonly maxKeys: number;
  readonly signature: string;
  readonly sources: readonly string[];
}

export function describePlan({ generation, fingerprint, jobs, sources, operators }: Plan): PlanDescription {
  return {
    generation,
    fingerprint,
    jobs: jobs.toSorted(byName(({ job }) => job)).map(({ job, nodes }) => ({
      job,
      nodes,
      sources: [...sources.values()]
        .filter((source) => source.job === job)
        .map(({ name, queue: { queue, deadLetterQueue, binding } }) => ({
          name,
          queue,
          deadLetterQueue,
          binding,
        }))
        .sort(byName(({ name }) => name)),
      operators: [...operators.values()]
        .filter((operator) => operator.job === job)
        .map(({ name, shards, maxKeys, aggregate, sources }) => ({
          name,
          shards,
          maxKeys,
          signature: aggregate.signature,
          sources: sources.toSorted(),
        }))
        .sort(byName(({ name }) => name)),
    })),
  };
}

/** By code units: the order must not depend on the machine's language. */
export function byName<T>(name: (item: T) => string): (left: T, right: T) => number {
  return (left, right) => (name(left) < name(right) ? -1 : name(left) > name(right) ? 1 : 0);
}
