/** Graph: a job as plain nodes and edges, with the behaviour hanging on the nodes, and a description that is only data. */
import type { Aggregate, Operator } from "./operator.ts";
import type { ProcessFunction } from "./process.ts";
import type { Sink } from "./sink.ts";
import type { PullSource, Source } from "./source.ts";
import type { Stage } from "./stage.ts";
import type { WindowRules } from "./windows/trigger.ts";
import type { WindowAssigner } from "./windows/window.ts";

export type KeyFunction = (data: unknown) => string;

interface NodeBase {
  /** Unique in its job; for sources and stateful operators a stable id, else derived from the input's name. */
  readonly name: string;
  readonly inputs: GraphNode[];
}

export interface SourceNode extends NodeBase {
  readonly kind: "source";
  readonly source: Source<unknown>;
}

/** A source that is asked by an object of its own. */
export interface PullNode extends NodeBase {
  readonly kind: "pull";
  readonly source: PullSource<unknown>;
}

export interface OperatorNode extends NodeBase {
  readonly kind: "operator";
  readonly operator: Operator<unknown, unknown>;
  /** Behind a `keyBy`: sees keyed events, one instance per key space. */
  readonly keyed: boolean;
}

export interface KeyByNode extends NodeBase {
  readonly kind: "keyBy";
  readonly key: KeyFunction;
}

export interface AggregateNode extends NodeBase {
  readonly kind: "aggregate";
  readonly aggregate: Aggregate<unknown, unknown, unknown>;
  /** The windows that it keeps an accumulator for, each by itself. */
  readonly window?: WindowSpec;
}

/** How events are grouped, and when the groups show results. */
export interface WindowSpec {
  readonly assigner: WindowAssigner;
  readonly rules: WindowRules;
}

export interface ProcessNode extends NodeBase {
  readonly kind: "process";
  readonly process: ProcessFunction<unknown, unknown>;
  /** The port that each of `inputs` comes in by: 0, or 1 for the table of an `enrich`. */
  readonly ports: number[];
}

export interface StageNode extends NodeBase {
  readonly kind: "stage";
  readonly stage: Stage<unknown, unknown>;
}

export interface SinkNode extends NodeBase {
  readonly kind: "sink";
  readonly sink: Sink<unknown>;
  readonly keyed: boolean;
}

export interface UnionNode extends NodeBase {
  readonly kind: "union";
}

/** What its one input emits to the side output `output`. */
export interface SideOutputNode extends NodeBase {
  readonly kind: "sideOutput";
  readonly output: string;
}

export type GraphNode =
  | SourceNode
  | PullNode
  | OperatorNode
  | KeyByNode
  | AggregateNode
  | ProcessNode
  | StageNode
  | SinkNode
  | UnionNode
  | SideOutputNode;

/** A job's graph as data: what `/v1/jobs` shows and the plan's fingerprint is made of. */
export interface GraphDescription {
  readonly job: string;
  readonly nodes: readonly NodeDescription[];
}

export interface NodeDescription {
  readonly name: string;
  /** `source`, `keyBy`, `aggregate`, or the operator's class: `map`, `filter`, … */
  readonly kind: string;
  readonly inputs: readonly string[];
}

/** The class of a node as users know it. */
export function kindOf(node: GraphNode): string {
  if (node.kind === "aggregate" && node.window !== undefined) return "window";
  if (node.kind !== "operator") return node.kind;
  return "kind" in node.operator && typeof node.operator.kind === "string" ? node.operator.kind : "operator";
}

export function describeGraph(job: string, nodes: readonly GraphNode[]): GraphDescription {
  return {
    job,
    nodes: nodes.map((node) => ({
      name: node.name,
      kind: kindOf(node),
      inputs: node.inputs.map((input) => input.name),
    })),
  };
}
