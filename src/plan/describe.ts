/**
 * The plan as plain data, in a stable order: what `npm run plan -- --json` prints and `/v1/jobs` answers, what the other
 * forms are drawn from, and what a later plan is compared with. Fields are only ever appended.
 */
import type { FailurePolicy } from "../job.ts";
import type { SinkBinding } from "../sink.ts";
import { bindingsOf } from "./bindings.ts";
import type { OperatorPlan, Outputs, Plan, QueueNames, SourcePlan, Step } from "./plan.ts";
import { isView } from "./plan.ts";

export interface PlanDescription {
  readonly generation: number;
  readonly fingerprint: string;
  readonly jobs: readonly JobDescription[];
  /** Sorted. */
  readonly retired: readonly string[];
  /** What sinks need of the operator Worker. */
  readonly bindings: readonly SinkBinding[];
}

export interface JobDescription {
  readonly job: string;
  readonly onError: FailurePolicy;
  /** In the order of the job, inputs before their readers. */
  readonly nodes: readonly DescribedNode[];
  /** Sources over HTTP. */
  readonly sources: readonly SourceDescription[];
  /** What lives in shards, pull sources among them. */
  readonly operators: readonly OperatorDescription[];
}

export interface DescribedNode {
  readonly name: string;
  readonly kind: string;
  readonly inputs: readonly string[];
  /** Changes with the node's code, as long as the same bundler made it; absent where that says nothing. */
  readonly code?: string;
}

/** What follows a source or an operator. */
export interface OutputsDescription {
  /** The stateless steps that are fused into it, by name. */
  readonly steps: readonly string[];
  /** The operators that the steps end in. */
  readonly targets: readonly string[];
  /** The side outputs that are read: its own, and those of its steps. */
  readonly sideOutputs: readonly SideOutputDescription[];
}

export interface SideOutputDescription {
  /** The operator or step that emits to it. */
  readonly of: string;
  readonly output: string;
  readonly targets: readonly string[];
}

export interface SourceDescription extends OutputsDescription {
  readonly name: string;
  readonly queue: QueueDescription;
}

export interface OperatorDescription extends OutputsDescription {
  readonly name: string;
  readonly kind: string;
  readonly shards: number;
  readonly keyed: boolean;
  readonly signature: string;
  /** The sources and operators that feed it. */
  readonly sources: readonly string[];
  readonly maxKeys?: number;
  /** Of a stage: the queue in front of it. */
  readonly queue?: QueueDescription;
}

export interface QueueDescription {
  readonly queue: string;
  readonly deadLetterQueue: string;
  readonly binding: string;
  readonly batchSize: number;
  readonly batchSeconds: number;
  readonly maxConsumers?: number;
}

export interface DescribeOptions {
  /** False where a bundler has been at work: what the code of nodes is said to be would differ from build to build. */
  readonly code?: boolean;
}

export function describePlan(plan: Plan, { code = true }: DescribeOptions = {}): PlanDescription {
  const { generation, fingerprint, jobs, sources, operators, retired } = plan;
  return {
    generation,
    fingerprint,
    jobs: jobs.toSorted(byName(({ job }) => job)).map(({ job, nodes }) => {
      const ofJob = <T extends { readonly job: string; readonly name: string }>(
        all: ReadonlyMap<string, T>,
      ) => [...all.values()].filter((one) => one.job === job).sort(byName(({ name }) => name));
      const own = [...ofJob(sources), ...ofJob(operators)];
      return {
        job,
        onError: own[0]?.onError ?? "dead-letter",
        nodes: nodes.map(({ name, kind, inputs }) => {
          const text = code ? plan.code.get(`${job}/${name}`) : undefined;
          return { name, kind, inputs, ...(text !== undefined && { code: text }) };
        }),
        sources: ofJob(sources).map(describeSource),
        operators: ofJob(operators).map(describeOperator),
      };
    }),
    retired: [...retired].sort(),
    bindings: bindingsOf(plan).map(({ kind, binding, name }) => ({ kind, binding, name })),
  };
}

function describeSource({ name, queue, steps, targets }: SourcePlan): SourceDescription {
  return { name, queue: describeQueue(queue), ...describeOutputs(name, { main: steps, sides: {}, targets }) };
}

function describeOperator(operator: OperatorPlan): OperatorDescription {
  const { name, kind, shards, keyed, signature, sources, outputs } = operator;
  return {
    ...{ name, kind, shards, keyed, signature },
    sources: sources.toSorted(),
    ...(isView(operator) && { maxKeys: operator.maxKeys }),
    ...(kind === "stage" && { queue: describeQueue(operator.queue) }),
    ...describeOutputs(name, outputs),
  };
}

function describeQueue({ maxConsumers, ...queue }: QueueNames): QueueDescription {
  return { ...queue, ...(maxConsumers !== undefined && { maxConsumers }) };
}

function describeOutputs(owner: string, { main, sides, targets }: Outputs): OutputsDescription {
  const steps = new Set<string>();
  const sideOutputs: SideOutputDescription[] = [];
  const aside = (of: string, branches: Outputs["sides"]) => {
    for (const [output, behind] of Object.entries(branches)) {
      const ends = [...new Set(endsOf(behind))];
      const known = sideOutputs.some((side) => side.of === of && side.output === output);
      if (!known) sideOutputs.push({ of, output, targets: ends });
      walk(behind);
    }
  };
  const walk = (behind: readonly Step[]) => {
    for (const step of behind) {
      if (step.kind === "target") continue;
      steps.add(step.kind === "keyBy" ? step.name : step.operator.name);
      walk(step.next);
      if (step.kind === "operator") aside(step.operator.name, step.sides);
    }
  };
  walk(main);
  aside(owner, sides);
  return { steps: [...steps], targets: targets.map(({ name }) => name), sideOutputs };
}

function endsOf(steps: readonly Step[]): string[] {
  return steps.flatMap((step) => {
    if (step.kind === "target") return [step.target.name];
    const sides = step.kind === "operator" ? Object.values(step.sides).flat() : [];
    return endsOf([...step.next, ...sides]);
  });
}

/** By code units: the order must not depend on the machine's language. */
export function byName<T>(name: (item: T) => string): (left: T, right: T) => number {
  return (left, right) => (name(left) < name(right) ? -1 : name(left) > name(right) ? 1 : 0);
}
