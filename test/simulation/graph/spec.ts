/** Spec: a job as plain data, in the versions that a deploy leads through; the same for the engine and for the recount. */
import type { Fault } from "./semantics.ts";

/** `new` has operators that `old` has not, and lacks others; `mended` is `new` without what can be mended. */
export type Version = "old" | "new" | "mended";
export const VERSIONS: readonly Version[] = ["old", "new", "mended"];

/** The stream of a node, or of one of its side outputs. */
export interface Input {
  readonly from: string;
  readonly output?: string;
}

interface NodeBase {
  readonly name: string;
  /** Added by the deploy. */
  readonly since?: "new";
  /** Retired by the deploy. */
  readonly until?: "old";
}

export interface SourceSpec extends NodeBase {
  readonly kind: "source";
  /** How far its events may be behind their arrival, ms; 5 s by default. */
  readonly bound?: number;
}

export const DEFAULT_BOUND = 5_000;

/** A source that is asked: its offset is how many events it has given, of `total`, at most `most` at once. */
export interface PullSpec extends NodeBase {
  readonly kind: "pull";
  readonly total: number;
  readonly most: number;
}

export interface StepSpec extends NodeBase {
  readonly kind: "map" | "filter" | "flatMap" | "split";
  readonly input: Input;
  readonly fault?: Fault;
}

export interface UnionSpec extends NodeBase {
  readonly kind: "union";
  readonly inputs: readonly Input[];
}

interface KeyedBase extends NodeBase {
  readonly input: Input;
  /** How many keys its `keyBy` gives. */
  readonly groups: number;
  readonly shards: number;
  readonly fault?: Fault;
}

/** `fragile` sums too, but it is its merge in the shard that fails. */
export interface AggregateSpec extends KeyedBase {
  readonly kind: "aggregate";
  readonly fn: "count" | "sum" | "fragile";
}

/**
 * - `number` numbers the items of a key and passes them on.
 * - `dedupe` emits each `v` of a key once.
 * - `once` emits one item per key, from a timer.
 * - `total` gives off what has come since it did so last, from a timer.
 * - `fleeting` keeps a value for a minute only, and passes the items on.
 */
export interface ProcessSpec extends KeyedBase {
  readonly kind: "process";
  readonly fn: "number" | "dedupe" | "once" | "total" | "fleeting";
  /** Of its timers, ms. */
  readonly delay: number;
}

/** Its spans in ms. */
export interface WindowSpec extends KeyedBase {
  readonly kind: "window";
  readonly fn: "tumbling" | "hopping" | "session";
  /** The gap of sessions. */
  readonly size: number;
  /** Of hopping windows. */
  readonly slide: number;
  readonly lateness: number;
  readonly early?: { readonly every: number } | { readonly count: number };
  readonly discarding: boolean;
  /** What is kept: the ids of all that came, or only how many. */
  readonly keeps: "ids" | "count";
}

/**
 * Process functions in event time:
 *
 * - `alarm` gathers what comes in spans of `size` and gives it off, from a timer, `delay` after the end of each.
 * - `sorted` lists what comes, sorted by time.
 */
export interface TimedSpec extends KeyedBase {
  readonly kind: "timed";
  readonly fn: "alarm" | "sorted";
  readonly size: number;
  readonly delay: number;
}

/** `window`: in windows of `size`. `interval`: pairs of which the right one is at most `size` away. */
export interface JoinSpec extends KeyedBase {
  readonly kind: "join";
  readonly fn: "window" | "interval";
  readonly other: Input;
  readonly size: number;
}

/** Operators in event time; their outputs go to nobody but sinks, and windows to further windows. */
export type EventTimeSpec = WindowSpec | TimedSpec | JoinSpec;

/** The side output of what came too late. */
export const LATE = "late";

export interface EnrichSpec extends KeyedBase {
  readonly kind: "enrich";
  readonly table: Input;
}

export interface StageSpec extends NodeBase {
  readonly kind: "stage";
  readonly input: Input;
  readonly shards: number;
  readonly concurrency: number;
  readonly fault?: Fault;
}

export interface SinkSpec extends NodeBase {
  readonly kind: "sink";
  readonly input: Input;
  readonly keyed: boolean;
  readonly groups: number;
  readonly shards: number;
  readonly batchEvents: number;
  readonly batchMs: number;
  readonly bufferBytes: number;
  readonly hourly: boolean;
  /** Its target refuses some batches, until it is mended. */
  readonly refuses: boolean;
}

export type NodeSpec =
  | SourceSpec
  | PullSpec
  | StepSpec
  | UnionSpec
  | AggregateSpec
  | ProcessSpec
  | EnrichSpec
  | EventTimeSpec
  | StageSpec
  | SinkSpec;

export interface JobSpec {
  readonly name: string;
  /** See JobOptions; dead letters by default. With `fail`, everything that fails must be mendable. */
  readonly onError?: "fail";
  /** Inputs come before their readers. */
  readonly nodes: readonly NodeSpec[];
}

export function inputsOf(node: NodeSpec): readonly Input[] {
  switch (node.kind) {
    case "source":
    case "pull":
      return [];
    case "union":
      return node.inputs;
    case "enrich":
      return [node.input, node.table];
    case "join":
      return [node.input, node.other];
    default:
      return [node.input];
  }
}

/** Whether it lives in shards. */
export function isStateful({ kind }: NodeSpec): boolean {
  return !["source", "map", "filter", "flatMap", "split", "union"].includes(kind);
}

export function isInEventTime(node: NodeSpec): node is EventTimeSpec {
  return node.kind === "window" || node.kind === "timed" || node.kind === "join";
}

/** The nodes of a version. A step that leads nowhere in it is left out too. */
export function nodesOf(spec: JobSpec, version: Version): NodeSpec[] {
  let nodes = spec.nodes.filter((node) =>
    version === "old" ? node.since === undefined : node.until === undefined,
  );
  for (;;) {
    const read = new Set(nodes.flatMap(inputsOf).map(({ from }) => from));
    const left = nodes.filter((node) => read.has(node.name) || (isStateful(node) && node.kind !== "pull"));
    if (left.length === nodes.length) return nodes;
    nodes = left;
  }
}

/** The operators in shards that a node's output reaches by steps alone. */
export function reachedFrom(nodes: readonly NodeSpec[], name: string): Set<string> {
  const reached = new Set<string>();
  for (const node of nodes) {
    if (!inputsOf(node).some(({ from }) => from === name)) continue;
    if (isStateful(node)) reached.add(node.name);
    else for (const further of reachedFrom(nodes, node.name)) reached.add(further);
  }
  return reached;
}

/** The names of a node and of all that its output reaches in any way. */
export function downstreamOf(spec: JobSpec, name: string): Set<string> {
  const found = new Set([name]);
  for (const node of spec.nodes) {
    if (inputsOf(node).some(({ from }) => found.has(from))) found.add(node.name);
  }
  return found;
}

/** The sources and operators that a node's input comes from by steps alone. */
export function feedersOf(nodes: readonly NodeSpec[], node: NodeSpec): Set<NodeSpec> {
  const feeders = new Set<NodeSpec>();
  for (const { from } of inputsOf(node)) {
    const input = nodes.find(({ name }) => name === from);
    if (input === undefined) continue;
    if (input.kind === "source" || isStateful(input)) feeders.add(input);
    else for (const further of feedersOf(nodes, input)) feeders.add(further);
  }
  return feeders;
}

/** Whether a pull source is among those that its watermark comes from: that ends with the source, not with time. */
export function isPulled(nodes: readonly NodeSpec[], node: NodeSpec): boolean {
  return [...feedersOf(nodes, node)].some((one) => one.kind === "pull" || isPulled(nodes, one));
}
