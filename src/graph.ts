/** Graph: a job as plain nodes and edges, with the behaviour hanging on the nodes, and a description that is only data. */
import type { Aggregate, Operator } from "./operator.ts";
import type { Source } from "./source.ts";

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
}

export type GraphNode = SourceNode | OperatorNode | KeyByNode | AggregateNode;

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
