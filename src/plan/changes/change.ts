/** Change: one difference between two plans, and what names and nodes they have. */
import type {
  DescribedNode,
  JobDescription,
  OperatorDescription,
  PlanDescription,
  SourceDescription,
} from "../describe.ts";

export interface Change {
  readonly change: "added" | "removed" | "edited" | "changed" | "moved";
  /** `job`, `source`, `step`, `generation`, or the kind of the operator. */
  readonly what: string;
  readonly name: string;
  readonly compatible: boolean;
  /** What happens; for a change that is refused, why, and what to do instead. */
  readonly reason: string;
}

export interface ChangeOptions {
  /** Moving the generation is meant: all state starts anew. */
  readonly newGeneration?: boolean;
}

/** What lives under a name that state, queues or messages know. */
export type Named = { readonly kind: string; readonly job: string } & (
  | SourceDescription
  | OperatorDescription
);

export function namedIn({ jobs }: PlanDescription): Map<string, Named> {
  return new Map(
    jobs.flatMap(({ job, sources, operators }: JobDescription) => [
      ...sources.map((source): [string, Named] => [source.name, { ...source, kind: "source", job }]),
      ...operators.map((operator): [string, Named] => [operator.name, { ...operator, job }]),
    ]),
  );
}

export function nodesIn({ jobs }: PlanDescription): Map<string, DescribedNode> {
  return new Map(jobs.flatMap(({ job, nodes }) => nodes.map((node) => [`${job}/${node.name}`, node])));
}

/** The keys of `of` that `from` has not. */
export function missing<T>(of: ReadonlyMap<string, T>, from: ReadonlyMap<string, T>): string[] {
  return [...of.keys()].filter((key) => !from.has(key));
}
