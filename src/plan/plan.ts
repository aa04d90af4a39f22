/** Plan: what the registered jobs become: sources with their queues, operators with their shards, and what runs between. */
import type { GraphDescription, KeyFunction, WindowSpec } from "../graph.ts";
import type { FailurePolicy } from "../job.ts";
import type { Aggregate, Operator } from "../operator.ts";
import type { ProcessFunction } from "../process.ts";
import type { Sink } from "../sink.ts";
import type { PullSource, Source, WatermarkStrategy } from "../source.ts";
import type { Stage } from "../stage.ts";

export interface Plan {
  /** Bumped when stored state moves (restore, rescale, rename); shards refuse messages of another generation. */
  readonly generation: number;
  /** Changes whenever events could be routed differently. */
  readonly fingerprint: string;
  readonly jobs: readonly GraphDescription[];
  /** What changes when a node's code does, by `{job}/{node}`; see codeOf. */
  readonly code: ReadonlyMap<string, string>;
  /** The sources that events are sent to over HTTP. */
  readonly sources: ReadonlyMap<string, SourcePlan>;
  /** Everything that lives in shards, pull sources among them. */
  readonly operators: ReadonlyMap<string, OperatorPlan>;
  /** Operators that are no more: what is still on its way to them is acknowledged and dropped. */
  readonly retired: ReadonlySet<string>;
}

/** A source, its queue, and the tree of steps that each of its events walks before it is durable. */
export interface SourcePlan {
  readonly job: string;
  readonly name: string;
  readonly onError: FailurePolicy;
  readonly source: Source<unknown>;
  readonly eventTime: SourceEventTime;
  readonly queue: QueueNames;
  readonly steps: readonly Step[];
  /** The operators behind the queue that the steps end in. */
  readonly targets: readonly Target[];
}

/** How the watermark of a source comes about; see EventTimeOptions. */
export interface SourceEventTime {
  readonly watermarks: WatermarkStrategy;
  /** Milliseconds. */
  readonly outOfOrderness: number;
}

/** What an operator has to do with event time. */
export interface OperatorEventTime {
  /** It has windows or timers in event time. */
  readonly uses: boolean;
  /** It does, or something behind it: it keeps a watermark. */
  readonly watermarked: boolean;
  /**
   * Where lateness is judged at the door, since nothing but sources over HTTP feeds it whose watermark follows arrival:
   * the bound of each, ms. Undefined where only the watermark says what is late.
   */
  readonly doors: ReadonlyMap<string, number> | undefined;
}

/** Stateless steps, fused into what is upstream of them: they run before what they make is durable. */
export type Step =
  | {
      readonly kind: "operator";
      readonly operator: Operator<unknown, unknown>;
      readonly next: readonly Step[];
      readonly sides: SideSteps;
    }
  | {
      readonly kind: "keyBy";
      readonly name: string;
      readonly key: KeyFunction;
      readonly next: readonly Step[];
    }
  | { readonly kind: "target"; readonly target: Target; readonly port: number };

/** The steps behind each side output that somebody reads. */
export type SideSteps = Readonly<Record<string, readonly Step[]>>;

/** What follows something that emits. */
export interface Outputs {
  readonly main: readonly Step[];
  readonly sides: SideSteps;
  readonly targets: readonly Target[];
}

/** What steps end in. */
export type Target = OperatorPlan | LocalOperatorPlan;

/** An operator that keeps a map of its own, as in the article: one instance, in memory only. */
export interface LocalOperatorPlan {
  readonly kind: "local";
  readonly name: string;
  readonly shards: 1;
  readonly keyed: boolean;
  readonly operator: Operator<unknown, unknown>;
}

interface ShardedPlan {
  readonly job: string;
  readonly name: string;
  readonly onError: FailurePolicy;
  readonly shards: number;
  /** Whether the shard of an event follows from its key; else from what brought it. */
  readonly keyed: boolean;
  /** Names the format of the state. */
  readonly signature: string;
  /** The sources and operators that reach it. */
  readonly sources: readonly string[];
  readonly outputs: Outputs;
  readonly eventTime: OperatorEventTime;
}

/** A mergeable accumulator per key; its view has the same name. */
export interface AggregatePlan extends ShardedPlan {
  readonly kind: "aggregate";
  readonly maxKeys: number;
  readonly aggregate: Aggregate<unknown, unknown, unknown>;
}

/** A mergeable accumulator per key and window; its view has the same name. */
export interface WindowPlan extends ShardedPlan {
  readonly kind: "window";
  readonly maxKeys: number;
  readonly aggregate: Aggregate<unknown, unknown, unknown>;
  readonly window: WindowSpec;
  /** Whether events are combined per key and window before they come; else each comes by itself. */
  readonly combined: boolean;
}

/** State and timers per key; its view has the same name. */
export interface ProcessPlan extends ShardedPlan {
  readonly kind: "process";
  readonly maxKeys: number;
  readonly process: ProcessFunction<unknown, unknown>;
}

/** An operator that waits or is impure, behind a queue of its own. */
export interface StagePlan extends ShardedPlan {
  readonly kind: "stage";
  readonly stage: Stage<unknown, unknown>;
  readonly queue: QueueNames;
  readonly concurrency: number;
  readonly retries: number;
  /** Messages in its queue from which on ingest refuses; undefined for the deployment's mark. */
  readonly highWater: number | undefined;
}

export interface SinkPlan extends ShardedPlan {
  readonly kind: "sink";
  readonly sink: Sink<unknown>;
  readonly batchEvents: number;
  readonly batchBytes: number;
  readonly batchMs: number;
  readonly bufferBytes: number;
}

/** A source that is asked, by the one shard that holds its offset. */
export interface PullPlan extends ShardedPlan {
  readonly kind: "pull";
  readonly source: PullSource<unknown>;
  readonly everyMs: number;
  readonly limit: number;
  readonly sourceTime: SourceEventTime;
}

export type OperatorPlan = AggregatePlan | WindowPlan | ProcessPlan | StagePlan | SinkPlan | PullPlan;

/** An operator whose state can be read as a view. */
export type ViewPlan = AggregatePlan | WindowPlan | ProcessPlan;

export interface QueueNames {
  /** `millrace-clicks` */
  readonly queue: string;
  /** `millrace-clicks-dead` */
  readonly deadLetterQueue: string;
  /** `QUEUE_CLICKS` */
  readonly binding: string;
  /** How long it waits for a batch to fill, whole seconds; see SourceOptions. */
  readonly batchSeconds: number;
  /** Messages that its consumer takes at once. */
  readonly batchSize: number;
  /** Consumers that may run at the same time; undefined for as many as the platform likes. */
  readonly maxConsumers: number | undefined;
}

export interface PlanOptions {
  readonly generation?: number;
  /** `workers` (the default) refuses what keeps state in an instance; `memory` allows it. */
  readonly runtime?: "workers" | "memory";
  /** What the watermark of every source follows, whatever it says itself: for tests that state it. */
  readonly watermarks?: "explicit";
  /** Operators that were removed from the jobs: what is still on its way to them is dropped, not dead-lettered. */
  readonly retired?: readonly string[];
}

/** Whether events of one key (and window) become one record before they reach it. */
export function isCombined(operator: Target): boolean {
  return operator.kind === "aggregate" || (operator.kind === "window" && operator.combined);
}

export function isView(operator: Target): operator is ViewPlan {
  return operator.kind === "aggregate" || operator.kind === "window" || operator.kind === "process";
}

export function viewsOf(plan: Plan): ViewPlan[] {
  return [...plan.operators.values()].filter(isView);
}

export function stagesOf(plan: Plan): StagePlan[] {
  return [...plan.operators.values()].filter((operator) => operator.kind === "stage");
}

export function pullsOf(plan: Plan): PullPlan[] {
  return [...plan.operators.values()].filter((operator) => operator.kind === "pull");
}

/** All queues of a plan with what they belong to: each HTTP source and each stage has one. */
export function queuesOf(plan: Plan): (SourcePlan | StagePlan)[] {
  return [...plan.sources.values(), ...stagesOf(plan)];
}

/** Whatever emits: a source or an operator, with the steps behind it. */
export interface Origin {
  readonly name: string;
  readonly onError: FailurePolicy;
  readonly outputs: Outputs;
}

export function originOf(plan: Plan, name: string): Origin | undefined {
  const source = plan.sources.get(name);
  if (source === undefined) return plan.operators.get(name);
  const { onError, steps, targets } = source;
  return { name, onError, outputs: { main: steps, sides: {}, targets } };
}
