/** Facts: what health says of one node or edge of a graph, put together. */
import type { Flow, Health } from "../api/types.ts";
import { sum } from "../parts/sum.ts";
import type { GraphEdge, GraphNode, JobGraph } from "./model.ts";
import type { Pressure, QueueHealth } from "./pressure.ts";
import { pressureOf, UNKNOWN } from "./pressure.ts";
import type { ShardHealth } from "./skew.ts";

export type OperatorHealth = Health["operators"][number];
export type JobWatermarks = Health["watermarks"][number];
export type WatermarkHealth = JobWatermarks["sources"][number] | JobWatermarks["operators"][number];

/** Events a second, as the page has measured them. */
export interface Rates {
  accepted(source: string): number;
  applied(source: string, operator: string): number;
}

/** Sums over all flows into a node. Undefined where a silent shard would understate them. */
export type Totals = Pick<Flow, "accepted" | "applied" | "late" | "dead" | "inFlight" | "duplicates">;

export interface NodeFacts {
  readonly pressure: Pressure;
  /** Events/s: of a source what comes, of any other what is applied. */
  readonly rate: number;
  /** Events since ever: of a source what has come, of any other what was applied. */
  readonly sum?: number;
  readonly totals?: Totals;
  readonly queue?: QueueHealth;
  readonly operator?: OperatorHealth;
  readonly shards: readonly ShardHealth[];
  readonly watermark?: WatermarkHealth;
}

export interface EdgeFacts {
  /** Of whom it leads to: that is where what goes over it is held up. */
  readonly pressure: Pressure;
  readonly rate: number;
  readonly inFlight?: number;
  /** Messages in the queue that it leads to: a stage's. */
  readonly queued?: number;
}

export interface GraphFacts {
  readonly nodes: ReadonlyMap<string, NodeFacts>;
  readonly edges: ReadonlyMap<string, EdgeFacts>;
}

export function factsOf(graph: JobGraph, health: Health | undefined, rates: Rates): GraphFacts {
  const edges = new Map<string, EdgeFacts>();
  const nodes = new Map<string, NodeFacts>();
  for (const node of graph.nodes) nodes.set(node.name, nodeFacts(graph, node, health, rates));
  for (const edge of graph.edges) {
    const target = edge.flows[0]?.operators.map((name) => nodes.get(name)?.pressure ?? UNKNOWN) ?? [];
    edges.set(edge.id, {
      pressure: target.length === 1 ? (target[0] ?? UNKNOWN) : shared(target),
      rate: edgeRate(edge, rates),
      ...inFlightOf(edge, health),
      ...queuedOf(nodes.get(edge.to)),
    });
  }
  return { nodes, edges };
}

function nodeFacts(graph: JobGraph, node: GraphNode, health: Health | undefined, rates: Rates): NodeFacts {
  if (node.type === "steps") {
    const into = graph.edges.filter(({ to }) => to === node.name);
    return {
      pressure: { ...UNKNOWN, level: "ok" },
      rate: sum(into.map((edge) => edgeRate(edge, rates))),
      shards: [],
    };
  }
  const { name } = node;
  const queue = health?.queues.find((one) => one.name === name);
  const watermarks = health?.watermarks.find(({ job }) => job === graph.job);
  if (node.type === "source") {
    const watermark = watermarks?.sources.find(({ source }) => source === name);
    const refusing = health?.refusing.includes(name) ?? false;
    return {
      pressure: health === undefined ? UNKNOWN : pressureOf({ refusing, queue }),
      rate: rates.accepted(name),
      ...acceptedOf(name, health),
      shards: [],
      ...(queue === undefined ? {} : { queue }),
      ...(watermark === undefined ? {} : { watermark }),
    };
  }
  const operator = health?.operators.find((one) => one.operator === name);
  const watermark =
    watermarks?.operators.find((one) => one.operator === name) ??
    watermarks?.sources.find(({ source }) => source === name);
  const { shards = [] } = operator ?? {};
  const totals = totalsOf(node.operator.sources, name, health);
  return {
    pressure: health === undefined ? UNKNOWN : pressureOf({ queue, shards }),
    rate:
      node.kind === "pull"
        ? emittedRate(graph, name, rates)
        : appliedRate(node.operator.sources, name, rates),
    shards,
    ...(totals === undefined ? {} : { totals, sum: totals.applied }),
    ...(node.kind === "pull" ? acceptedOf(name, health) : {}),
    ...(queue === undefined ? {} : { queue }),
    ...(operator === undefined ? {} : { operator }),
    ...(watermark === undefined ? {} : { watermark }),
  };
}

/** What is held up in front of some of several is not held up for all: the least of them. */
function shared(targets: readonly Pressure[]): Pressure {
  return targets.find(({ level }) => level === "ok") ?? targets[0] ?? UNKNOWN;
}

function appliedRate(sources: readonly string[], operator: string, rates: Rates): number {
  return sum(sources.map((source) => rates.applied(source, operator)));
}

/** All who read a source are given the same events. */
function emittedRate({ edges }: JobGraph, source: string, rates: Rates): number {
  const readers = edges.flatMap(({ flows }) =>
    flows.flatMap((flow) => (flow.source === source ? flow.operators : [])),
  );
  return Math.max(0, ...readers.map((operator) => rates.applied(source, operator)));
}

function edgeRate({ flows }: GraphEdge, rates: Rates): number {
  return sum(
    flows.map(({ source, operators }) =>
      Math.max(0, ...operators.map((operator) => rates.applied(source, operator))),
    ),
  );
}

function inFlightOf({ flows, last }: GraphEdge, health: Health | undefined): { inFlight?: number } {
  const known = flows.flatMap(({ source, operators }) =>
    operators.map((operator) => flowOf(health, source, operator)),
  );
  const counts = known.flatMap((flow) => (flow === undefined ? [] : [flow.inFlight]));
  if (!last || counts.length < known.length) return {};
  return { inFlight: sum(counts) };
}

/** A source's queue is in front of its own edges. */
function queuedOf(target: NodeFacts | undefined): { queued?: number } {
  const messages = target?.operator?.kind === "stage" ? target.queue?.backlog?.messages : undefined;
  return messages === undefined ? {} : { queued: messages };
}

function totalsOf(
  sources: readonly string[],
  operator: string,
  health: Health | undefined,
): Totals | undefined {
  const flows = sources.map((source) => flowOf(health, source, operator));
  const known = flows.flatMap((flow) => (flow === undefined ? [] : [flow]));
  if (sources.length === 0 || known.length < sources.length) return undefined;
  const of = (value: (flow: Flow) => number) => sum(known.map(value));
  return {
    accepted: of((flow) => flow.accepted),
    applied: of((flow) => flow.applied),
    late: of((flow) => flow.late),
    dead: of((flow) => flow.dead),
    inFlight: of((flow) => flow.inFlight),
    duplicates: of((flow) => flow.duplicates),
  };
}

/** All who read a source are given the same events: the one that has met most knows best. */
function acceptedOf(source: string, health: Health | undefined): { sum?: number } {
  const accepted = (health?.flows ?? []).flatMap((flow) => (flow.source === source ? [flow.accepted] : []));
  return accepted.length === 0 ? {} : { sum: Math.max(...accepted) };
}

function flowOf(health: Health | undefined, source: string, operator: string): Flow | undefined {
  return health?.flows?.find((flow) => flow.source === source && flow.operator === operator);
}
