/**
 * Plan: the registered jobs mapped on queues, consumers and shards.
 *
 * A stage today is one source with its stateless operators, which run before the queue, and the aggregates that they
 * end in, which run behind it. Whatever would need more (an operator behind an aggregate, a keyed operator with
 * state of its own) is refused here by name, not half done.
 */
import { PlanError } from "./errors.ts";
import type { GraphDescription, GraphNode, KeyFunction } from "./graph.ts";
import { fingerprintOf } from "./hash.ts";
import type { Job } from "./job.ts";
import { checkName } from "./job.ts";
import type { Aggregate, Operator } from "./operator.ts";
import { AggregatorOperator } from "./operators/aggregate.ts";
import type { Source } from "./source.ts";

export const DEFAULT_SHARDS = 4;
export const DEFAULT_MAX_KEYS = 2_000_000;
const MAX_SHARDS = 256;

export interface Plan {
  /** Bumped when stored state moves (restore, rescale, rename); shards refuse messages of another generation. */
  readonly generation: number;
  /** Changes whenever events could be routed differently. */
  readonly fingerprint: string;
  readonly jobs: readonly GraphDescription[];
  readonly sources: ReadonlyMap<string, SourcePlan>;
  readonly operators: ReadonlyMap<string, OperatorPlan>;
}

/** A source, its queue, and the tree of steps that each of its events walks before it is durable. */
export interface SourcePlan {
  readonly job: string;
  readonly name: string;
  readonly source: Source<unknown>;
  readonly queue: QueueNames;
  readonly steps: readonly Step[];
  /** The operators behind the queue that the steps end in. */
  readonly targets: readonly Target[];
}

export type Step =
  | {
      readonly kind: "operator";
      readonly operator: Operator<unknown, unknown>;
      readonly next: readonly Step[];
    }
  | {
      readonly kind: "keyBy";
      readonly name: string;
      readonly key: KeyFunction;
      readonly next: readonly Step[];
    }
  | { readonly kind: "target"; readonly target: Target };

/** What runs behind the queue. */
export type Target = OperatorPlan | LocalOperatorPlan;

/** An operator that keeps a map of its own, as in the article: one instance, in memory only. */
export interface LocalOperatorPlan {
  readonly kind: "local";
  readonly name: string;
  readonly shards: 1;
  readonly operator: Operator<unknown, unknown>;
}

/** A stateful operator; its view has the same name. */
export interface OperatorPlan {
  readonly kind: "aggregate";
  readonly job: string;
  readonly name: string;
  readonly shards: number;
  readonly maxKeys: number;
  readonly aggregate: Aggregate<unknown, unknown, unknown>;
  /** The sources that reach it. */
  readonly sources: readonly string[];
}

export interface QueueNames {
  /** `millrace-clicks` */
  readonly queue: string;
  /** `millrace-clicks-dead` */
  readonly deadLetterQueue: string;
  /** `QUEUE_CLICKS` */
  readonly binding: string;
  /** How long it waits for a batch to fill, whole seconds; see SourceOptions. */
  readonly batchSeconds: number;
}

export interface PlanOptions {
  readonly generation?: number;
  /** `workers` (the default) refuses what keeps state in an instance; `memory` allows it. */
  readonly runtime?: "workers" | "memory";
}

/**
 * Plans all jobs of a deployment together.
 *
 * @throws PlanError when a name is used twice, an operator reads nothing, a source is read by nobody, or the graph
 * needs what this runtime cannot do. The message names the job and the operator.
 */
export function planJobs(jobs: readonly Job[], options: PlanOptions = {}): Plan {
  const { generation = 1, runtime = "workers" } = options;
  const operators = new Map<string, OperatorPlan & { sources: string[] }>();
  const sources = new Map<string, SourcePlan>();
  const locals = new Map<Operator<unknown, unknown>, LocalOperatorPlan>();
  const jobNames = new Set<string>();

  for (const job of jobs) {
    if (jobNames.has(job.name)) throw new PlanError(`two jobs are named "${job.name}"; rename one`);
    jobNames.add(job.name);
    for (const node of job.nodes) {
      mustBeSynchronous(job, node);
      if (node.kind === "aggregate") addOperator(job, node.aggregate);
    }
    for (const node of job.nodes) {
      if (node.kind === "source") addSource(job, node.source, node);
    }
  }
  const descriptions = jobs.map((job) => job.describe());
  return { generation, fingerprint: fingerprint(generation, jobs), jobs: descriptions, sources, operators };

  function addOperator(job: Job, aggregate: Aggregate<unknown, unknown, unknown>): void {
    const { name } = aggregate;
    checkName("operator", name);
    const other = operators.get(name);
    if (other !== undefined) {
      throw new PlanError(
        `jobs ${other.job} and ${job.name} both have an operator "${name}"; names are unique across jobs`,
      );
    }
    const shards = aggregate.options.shards ?? DEFAULT_SHARDS;
    if (!Number.isInteger(shards) || shards < 1 || shards > MAX_SHARDS) {
      throw new PlanError(
        `operator ${name}: shards must be a whole number from 1 to ${MAX_SHARDS}, not ${shards}`,
      );
    }
    const maxKeys = aggregate.options.maxKeys ?? DEFAULT_MAX_KEYS;
    if (!Number.isInteger(maxKeys) || maxKeys < 1) {
      throw new PlanError(`operator ${name}: maxKeys must be a whole number above 0, not ${maxKeys}`);
    }
    operators.set(name, { kind: "aggregate", job: job.name, name, shards, maxKeys, aggregate, sources: [] });
  }

  function addSource(job: Job, source: Source<unknown>, node: GraphNode): void {
    const { name } = source;
    const other = sources.get(name);
    if (other !== undefined) {
      throw new PlanError(
        `jobs ${other.job} and ${job.name} both have a source "${name}"; names are unique across jobs`,
      );
    }
    const targets = new Set<Target>();
    const steps = stepsBehind(job, node, (target) => {
      targets.add(target);
      const feeding = operators.get(target.name)?.sources;
      if (feeding !== undefined && !feeding.includes(name)) feeding.push(name);
    });
    const { batchSeconds = 0 } = source.options;
    if (!Number.isInteger(batchSeconds) || batchSeconds < 0 || batchSeconds > 60) {
      throw new PlanError(
        `source ${name}: batchSeconds must be a whole number from 0 to 60, not ${batchSeconds}`,
      );
    }
    if (steps.length === 0) {
      throw new PlanError(
        `job ${job.name}: nothing reads the source "${name}"; apply an operator to its stream`,
      );
    }
    const queue = queueNames(name, batchSeconds);
    const clash = [...sources.values()].find(
      (one) => one.queue.queue === queue.deadLetterQueue || one.queue.deadLetterQueue === queue.queue,
    );
    if (clash !== undefined) {
      const [base, dead] = [clash.name, name].sort((a, b) => a.length - b.length);
      throw new PlanError(
        `the sources "${base}" and "${dead}" both need the queue millrace-${dead}; rename one`,
      );
    }
    sources.set(name, { job: job.name, name, source, queue, steps, targets: [...targets] });
  }

  function stepsBehind(job: Job, node: GraphNode, reach: (target: Target) => void): Step[] {
    return readersOf(job, node).map((next): Step => {
      const readers = readersOf(job, next);
      switch (next.kind) {
        case "source":
          throw new PlanError(`job ${job.name}: source "${next.name}" cannot have an input`);
        case "keyBy":
          if (readers.length > 0)
            return { kind: "keyBy", name: next.name, key: next.key, next: stepsBehind(job, next, reach) };
          throw new PlanError(
            `job ${job.name}: nothing follows "${next.name}"; apply an aggregate or an operator`,
          );
        case "aggregate":
          mayHaveNoReader(job, next, readers);
          return target(operators.get(next.name) as OperatorPlan, reach);
        case "operator":
          if (!next.keyed && readers.length > 0) {
            return { kind: "operator", operator: next.operator, next: stepsBehind(job, next, reach) };
          }
          mayHaveNoReader(job, next, readers);
          return target(localOperator(job, next.operator, next.keyed), reach);
      }
    });
  }

  function localOperator(job: Job, operator: Operator<unknown, unknown>, keyed: boolean): LocalOperatorPlan {
    if (runtime === "workers") {
      throw new PlanError(
        keyed
          ? `job ${job.name}: "${operator.name}" is a keyed operator with state of its own, which only JobStarter can run; extend Aggregate to keep state on Workers`
          : `job ${job.name}: nothing reads what "${operator.name}" emits; apply an aggregate to it, or run the job with JobStarter if the operator keeps its results itself`,
      );
    }
    let known = locals.get(operator);
    if (known === undefined) {
      known = { kind: "local", name: operator.name, shards: 1, operator };
      locals.set(operator, known);
    }
    return known;
  }
}

function target(plan: Target, reach: (target: Target) => void): Step {
  reach(plan);
  return { kind: "target", target: plan };
}

function readersOf(job: Job, node: GraphNode): GraphNode[] {
  return job.nodes.filter((reader) => reader.inputs.includes(node));
}

function mayHaveNoReader(job: Job, node: GraphNode, readers: readonly GraphNode[]): void {
  if (readers[0] === undefined) return;
  throw new PlanError(
    `job ${job.name}: "${readers[0].name}" reads what "${node.name}" emits; stages behind a stateful operator are not supported yet, read its view instead`,
  );
}

/** The queues of a source and the binding under which Workers reach it. */
function queueNames(source: string, batchSeconds = 0): QueueNames {
  return {
    queue: `millrace-${source}`,
    deadLetterQueue: `millrace-${source}-dead`,
    binding: `QUEUE_${source.toUpperCase().replaceAll("-", "_")}`,
    batchSeconds,
  };
}

/** Names, edges, shard counts, accumulator formats and the text of every function: all that decides where an event goes. */
function fingerprint(generation: number, jobs: readonly Job[]): string {
  const nodes = jobs.map((job) => [
    job.name,
    job.nodes.map((node) => [
      node.kind,
      node.name,
      node.inputs.map((input) => input.name),
      behaviourOf(node),
    ]),
  ]);
  return fingerprintOf(JSON.stringify([generation, nodes]));
}

function behaviourOf(node: GraphNode): string {
  switch (node.kind) {
    case "source":
      return node.source.getEvents.toString();
    case "keyBy":
      return node.key.toString();
    case "operator":
      return `${node.operator.apply.toString()}${"fn" in node.operator ? String(node.operator.fn) : ""}`;
    case "aggregate":
      return `${node.aggregate.signature}/${node.aggregate.options.shards ?? DEFAULT_SHARDS}${hooksOf(node).join("")}`;
  }
}

/** The functions of a node that run while events flow. */
function hooksOf(node: GraphNode): ((...args: never[]) => unknown)[] {
  switch (node.kind) {
    case "source":
      return [node.source.getEvents];
    case "keyBy":
      return [node.key];
    case "operator":
      return [node.operator.apply];
    case "aggregate": {
      const { aggregate } = node;
      const { create, add, merge, result } =
        aggregate instanceof AggregatorOperator ? aggregate.aggregator : aggregate;
      return [create, add, merge, result];
    }
  }
}

/** The types say it too; JavaScript callers and casts get past types. */
function mustBeSynchronous(job: Job, node: GraphNode): void {
  if (!hooksOf(node).some((hook) => /^Async/.test(hook.constructor.name))) return;
  throw new PlanError(
    `job ${job.name}: a hook of "${node.name}" is async, but nothing waits for it; return a value, not a Promise`,
  );
}
