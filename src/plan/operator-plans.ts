/** Operator plans: what each kind of node becomes in shards, with its options checked and completed. */
import type {
  AggregateNode,
  GraphNode,
  ProcessNode,
  PullNode,
  SinkNode,
  StageNode,
  WindowSpec,
} from "../graph.ts";
import type { Job } from "../job.ts";
import { LATE } from "../windows/trigger.ts";
import { sourceTimeOf } from "./event-time.ts";
import { span, whole } from "./options.ts";
import type {
  AggregatePlan,
  OperatorEventTime,
  OperatorPlan,
  Outputs,
  ProcessPlan,
  PullPlan,
  SinkPlan,
  StagePlan,
  WindowPlan,
} from "./plan.ts";
import { queueNames } from "./queues.ts";

export const DEFAULT_SHARDS = 4;
export const DEFAULT_MAX_KEYS = 2_000_000;
/** Of windows a view keeps many for each key. */
const DEFAULT_MAX_WINDOW_KEYS = 20_000_000;
const MAX_SHARDS = 256;

/** What is behind it and who feeds it are found out when all operators are known. */
export type UnconnectedPlan = OperatorPlan & {
  sources: string[];
  outputs: Outputs;
  eventTime: OperatorEventTime;
};

const NO_EVENT_TIME: OperatorEventTime = { uses: false, watermarked: false, doors: undefined };
const NOTHING: Outputs = { main: [], sides: {}, targets: [] };

/**
 * What a node is in shards, still unconnected; undefined for a node that lives in none.
 *
 * @throws PlanError that names the operator, the option and what it may be.
 */
export function operatorOf(job: Job, node: GraphNode): UnconnectedPlan | undefined {
  switch (node.kind) {
    case "aggregate":
      return aggregatePlan(job, node);
    case "process":
      return processPlan(job, node);
    case "stage":
      return stagePlan(job, node);
    case "sink":
      return sinkPlan(job, node);
    case "pull":
      return pullPlan(job, node);
    default:
      return undefined;
  }
}

function aggregatePlan(job: Job, node: AggregateNode) {
  const { aggregate, window } = node;
  const { shards, maxKeys } = aggregate.options;
  if (window !== undefined) {
    return {
      ...common<WindowPlan>(job, node, "window", shards),
      keyed: true,
      signature: `window:${window.assigner.signature}:${aggregate.signature}`,
      maxKeys: keysOf(node, maxKeys, DEFAULT_MAX_WINDOW_KEYS),
      aggregate,
      window,
      combined: mayCombine(job, node, window),
    };
  }
  return {
    ...common<AggregatePlan>(job, node, "aggregate", shards),
    keyed: true,
    signature: aggregate.signature,
    maxKeys: keysOf(node, maxKeys),
    aggregate,
  };
}

/**
 * Events of one key and window may be combined before they reach it unless each has to be seen: where windows merge or
 * look at events, where a trigger counts, and where somebody wants the late ones.
 */
function mayCombine(job: Job, node: AggregateNode, { assigner, rules }: WindowSpec): boolean {
  const counts = rules.early?.kind === "count" || rules.late?.kind === "count";
  const wantsLate = job.nodes.some(
    (reader) => reader.kind === "sideOutput" && reader.output === LATE && reader.inputs.includes(node),
  );
  return !assigner.merging && !assigner.needsEvent && !counts && !wantsLate;
}

function processPlan(job: Job, node: ProcessNode) {
  const { process } = node;
  const { shards, maxKeys } = process.options;
  return {
    ...common<ProcessPlan>(job, node, "process", shards),
    keyed: true,
    signature: `process:${process.signature}`,
    maxKeys: keysOf(node, maxKeys),
    process,
  };
}

function stagePlan(job: Job, node: StageNode) {
  const { stage } = node;
  const { shards = 1, concurrency, retries, batchSize, maxConsumers, highWater } = stage.options;
  const owner = ownerOf(node);
  return {
    ...common<StagePlan>(job, node, "stage", shards),
    keyed: false,
    signature: "stage@1",
    stage,
    queue: queueNames(node.name, {
      batchSize: whole(owner, "batchSize", batchSize, { least: 1, most: 100, otherwise: 10 }),
      maxConsumers: optional(owner, "maxConsumers", maxConsumers, { least: 1, most: 250 }),
    }),
    concurrency: whole(owner, "concurrency", concurrency, { least: 1, most: 1000, otherwise: 1 }),
    retries: whole(owner, "retries", retries, { least: 0, most: 20, otherwise: 2 }),
    highWater: optional(owner, "highWater", highWater, { least: 1 }),
  };
}

function sinkPlan(job: Job, node: SinkNode) {
  const { sink, keyed } = node;
  const { shards = 1, batchEvents, batchBytes, batchTime, bufferBytes } = sink.options;
  const owner = ownerOf(node);
  return {
    ...common<SinkPlan>(job, node, "sink", shards),
    keyed,
    signature: `sink:${sink.signature}`,
    sink,
    batchEvents: whole(owner, "batchEvents", batchEvents, { least: 1, otherwise: 1000 }),
    batchBytes: whole(owner, "batchBytes", batchBytes, { least: 1, otherwise: 1_000_000 }),
    batchMs: span(owner, "batchTime", batchTime, 0),
    bufferBytes: whole(owner, "bufferBytes", bufferBytes, { least: 1, otherwise: 16_000_000 }),
  };
}

function pullPlan(job: Job, node: PullNode) {
  const { source } = node;
  const { every, limit } = source.options;
  return {
    ...common<PullPlan>(job, node, "pull", 1),
    keyed: false,
    signature: `pull:${source.signature}`,
    source,
    everyMs: span(ownerOf(node), "every", every, 1000),
    limit: whole(ownerOf(node), "limit", limit, { least: 1, most: 10_000, otherwise: 1000 }),
    sourceTime: sourceTimeOf(ownerOf(node), source.options, "events"),
  };
}

function common<P extends OperatorPlan>(
  job: Job,
  node: GraphNode,
  kind: P["kind"],
  shards: number | undefined,
) {
  return {
    kind,
    job: job.name,
    name: node.name,
    onError: job.onError,
    shards: whole(ownerOf(node), "shards", shards, { least: 1, most: MAX_SHARDS, otherwise: DEFAULT_SHARDS }),
    sources: [] as string[],
    outputs: NOTHING,
    eventTime: NO_EVENT_TIME,
  };
}

function keysOf(node: GraphNode, maxKeys: number | undefined, otherwise = DEFAULT_MAX_KEYS): number {
  return whole(ownerOf(node), "maxKeys", maxKeys, { least: 1, otherwise });
}

function optional(
  owner: string,
  option: string,
  value: number | undefined,
  range: { readonly least: number; readonly most?: number },
): number | undefined {
  return value === undefined ? undefined : whole(owner, option, value, { ...range, otherwise: value });
}

function ownerOf({ kind, name }: GraphNode): string {
  return `${kind === "pull" ? "source" : "operator"} ${name}`;
}
