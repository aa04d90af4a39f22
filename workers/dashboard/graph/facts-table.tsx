/** FactsTable: what the drawing shows, as tables: to read on, to copy, and for those who do not see the drawing. */
import type { JSX } from "preact";
import { formatNumber, formatRate, formatSpan } from "../parts/format.ts";
import type { Column } from "../parts/table.tsx";
import { Table } from "../parts/table.tsx";
import type { EdgeFacts, GraphFacts, NodeFacts } from "./facts.ts";
import { kindWord } from "./kinds.ts";
import { LevelMark } from "./level-mark.tsx";
import type { GraphEdge, GraphNode, JobGraph } from "./model.ts";
import { edgeWord, lagWord, skewWord, stepsWord } from "./words.ts";

interface NodeRow {
  readonly node: GraphNode;
  readonly facts: NodeFacts;
}

interface EdgeRow {
  readonly edge: GraphEdge;
  readonly words: string;
  readonly facts: EdgeFacts;
}

const NONE = "–";

function total(name: keyof NonNullable<NodeFacts["totals"]>, header: string): Column<NodeRow> {
  const cell = ({ facts }: NodeRow) => (facts.totals === undefined ? NONE : formatNumber(facts.totals[name]));
  return { header, numeric: true, cell };
}

const NODES: readonly Column<NodeRow>[] = [
  { header: "Node", cell: ({ node }) => stepsWord(node) },
  { header: "Kind", cell: ({ node }) => (node.type === "steps" ? "stateless" : kindWord(node.kind)) },
  {
    header: "State",
    cell: ({ node, facts }) => (node.type === "steps" ? NONE : <LevelMark pressure={facts.pressure} />),
  },
  { header: "Events/s", numeric: true, cell: ({ facts }) => formatRate(facts.rate) },
  {
    header: "Waiting",
    numeric: true,
    cell: ({ facts: { queue } }) => {
      if (queue === undefined) return NONE;
      return queue.backlog === null ? "not known" : formatNumber(queue.backlog.messages);
    },
  },
  {
    header: "Oldest",
    numeric: true,
    cell: ({ facts: { queue } }) => {
      const oldest = queue?.oldestMessageAgeMs ?? null;
      return oldest === null ? NONE : formatSpan(oldest);
    },
  },
  total("applied", "Applied"),
  total("inFlight", "In flight"),
  total("late", "Late"),
  total("dead", "Dead"),
  total("duplicates", "Repeated"),
  {
    header: "Watermark",
    cell: ({ facts }) => (facts.watermark === undefined ? NONE : lagWord(facts.watermark)),
  },
  {
    header: "Shards",
    numeric: true,
    cell: ({ facts }) => (facts.shards.length === 0 ? NONE : facts.shards.length),
  },
  { header: "Skew", numeric: true, cell: ({ facts }) => skewWord(facts) ?? NONE },
  {
    header: "Outbox",
    numeric: true,
    cell: ({ facts }) => (facts.operator === undefined ? NONE : formatNumber(facts.operator.outbox.segments)),
  },
];

const EDGES: readonly Column<EdgeRow>[] = [
  { header: "Edge", cell: ({ words }) => words },
  { header: "Events/s", numeric: true, cell: ({ facts }) => formatRate(facts.rate) },
  {
    header: "In flight",
    numeric: true,
    cell: ({ facts }) => (facts.inFlight === undefined ? NONE : formatNumber(facts.inFlight)),
  },
  { header: "Where it leads", cell: ({ facts }) => <LevelMark pressure={facts.pressure} /> },
];

export interface FactsTableProps {
  readonly graph: JobGraph;
  readonly facts: GraphFacts;
}

export function FactsTable({ graph, facts }: FactsTableProps): JSX.Element {
  const nodes = graph.nodes.flatMap((node): NodeRow[] => {
    const known = facts.nodes.get(node.name);
    return known === undefined ? [] : [{ node, facts: known }];
  });
  const edges = graph.edges.flatMap((edge): EdgeRow[] => {
    const known = facts.edges.get(edge.id);
    return known === undefined ? [] : [{ edge, words: edgeWord(edge, graph), facts: known }];
  });
  return (
    <details class="graph-table">
      <summary>The same as tables</summary>
      <Table caption={`Nodes of ${graph.job}`} columns={NODES} rows={nodes} rowId={({ node }) => node.name} />
      <Table caption={`Edges of ${graph.job}`} columns={EDGES} rows={edges} rowId={({ edge }) => edge.id} />
    </details>
  );
}
