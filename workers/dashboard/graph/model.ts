/** Model: a job as `/v1/jobs` tells it, as the nodes and edges that the page draws. */
import type { Job, JobOperator } from "../api/types.ts";

export type JobSource = Job["sources"][number];

/** One node of the drawing. Names are those of the job; of steps in a row, the first one's. */
export type GraphNode =
  | { readonly type: "source"; readonly name: string; readonly kind: string; readonly source: JobSource }
  | {
      readonly type: "operator";
      readonly name: string;
      readonly kind: string;
      readonly operator: JobOperator;
    }
  | { readonly type: "steps"; readonly name: string; readonly kind: string; readonly steps: readonly Step[] };

/** Stateless: it runs in front of whoever reads it, and has no shard and no queue. */
export interface Step {
  readonly name: string;
  readonly kind: string;
}

export interface GraphEdge {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  /** What goes over it, as the flows of health name them: by whom it was emitted, and for whom. */
  readonly flows: readonly { readonly source: string; readonly operators: readonly string[] }[];
  /** Whether it ends at whom its flows are for: there, they can be told apart. */
  readonly last: boolean;
}

export interface JobGraph {
  readonly job: string;
  /** Inputs before their readers. */
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

export function graphOf(job: Job): JobGraph {
  const groups = groupsOf(job);
  const nodes = [...new Set(groups.values())].map((members) => nodeOf(job, members));
  const first = (name: string): string => groups.get(name)?.[0]?.name ?? name;
  const pairs = new Map<string, { from: string; to: string }>();
  for (const { name, inputs } of job.nodes) {
    for (const input of inputs) {
      const [from, to] = [first(input), first(name)];
      if (from !== to) pairs.set(`${from} → ${to}`, { from, to });
    }
  }
  const steps = new Set(nodes.filter(({ type }) => type === "steps").map(({ name }) => name));
  const ends = (name: string, next: "from" | "to"): string[] => {
    if (!steps.has(name)) return [name];
    const other = next === "to" ? "from" : "to";
    return [...pairs.values()].flatMap((pair) => (pair[other] === name ? ends(pair[next], next) : []));
  };
  const edges = [...pairs].map(([id, { from, to }]): GraphEdge => {
    const operators = [...new Set(ends(to, "to"))];
    const flows = [...new Set(ends(from, "from"))].map((source) => ({ source, operators }));
    return { id, from, to, flows, last: !steps.has(to) };
  });
  return { job: job.job, nodes: inOrder(nodes, edges), edges };
}

/** As they are, but for those that are listed before something that they read, like a sink of several. */
function inOrder(nodes: readonly GraphNode[], edges: readonly GraphEdge[]): GraphNode[] {
  const done = new Set<GraphNode>();
  const visit = (node: GraphNode): void => {
    if (done.has(node)) return;
    for (const { from, to } of edges) {
      if (to === node.name) for (const before of nodes) if (before.name === from) visit(before);
    }
    done.add(node);
  };
  for (const node of nodes) visit(node);
  return [...done];
}

/** Each node's group: itself, or the steps in a row that nothing else joins or leaves. */
function groupsOf(job: Job): Map<string, Step[]> {
  const stateful = new Set([
    ...job.sources.map(({ source }) => source),
    ...job.operators.map(({ operator }) => operator),
  ]);
  const readers = new Map<string, number>();
  for (const { inputs } of job.nodes) {
    for (const input of inputs) readers.set(input, (readers.get(input) ?? 0) + 1);
  }
  const groups = new Map<string, Step[]>();
  for (const { name, kind, inputs } of job.nodes) {
    const [input] = inputs;
    const before = input === undefined ? undefined : groups.get(input);
    const inRow =
      input !== undefined &&
      inputs.length === 1 &&
      !stateful.has(name) &&
      !stateful.has(input) &&
      readers.get(input) === 1;
    const group = inRow && before !== undefined ? before : [];
    group.push({ name, kind });
    groups.set(name, group);
  }
  return groups;
}

function nodeOf(job: Job, members: readonly Step[]): GraphNode {
  const { name, kind } = members[0] ?? { name: "", kind: "" };
  const source = job.sources.find((one) => one.source === name);
  if (source !== undefined) return { type: "source", name, kind, source };
  const operator = job.operators.find((one) => one.operator === name);
  if (operator !== undefined) return { type: "operator", name, kind: operator.kind, operator };
  return { type: "steps", name, kind, steps: members };
}
