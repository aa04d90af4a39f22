/** Layout: where nodes, edges and their labels go, by dagre; the same for as long as the graph is the same. */
import { Graph, layout } from "@dagrejs/dagre";
import { portsOf } from "./curve.ts";
import type { JobGraph } from "./model.ts";
import { railOf } from "./rail.ts";
import type { Box, Layout, Point, Size } from "./shapes.ts";
import { MARGIN, sizeOf } from "./sizes.ts";

const LABEL: Size = { width: 78, height: 36 };
const WIDE: Style = { node: 216, ranks: 22, nodes: 28, label: LABEL };
const TIGHT: Style = { node: 184, ranks: 10, nodes: 20, label: LABEL };
const NARROW: Style = { node: 160, ranks: 8, nodes: 12, label: LABEL };

interface Style {
  readonly node: number;
  readonly ranks: number;
  readonly nodes: number;
  readonly label: Size;
}

/**
 * The first of some layouts that fits into a width: to the right, tighter, downwards, tighter; where none does, on a
 * phone each node has a row, and on a larger screen the page scrolls.
 *
 * @param scale of the page's text against 16 pixels: what is written in larger letters needs more room.
 */
export function fitting(graph: JobGraph, width: number, scale = 1): Layout {
  for (const [direction, style] of TRIED) {
    const layout = layoutOf(graph, direction, style, scale);
    if (layout.width <= width) return layout;
  }
  return width < PHONE * scale ? railOf(graph, width, scale) : layoutOf(graph, "right", TIGHT, scale);
}

const TRIED: readonly (readonly ["right" | "down", Style])[] = [
  ["right", WIDE],
  ["right", TIGHT],
  ["down", WIDE],
  ["down", NARROW],
];

/** Narrower than this, two cards are not beside each other. */
const PHONE = 640;

export function layoutOf(
  graph: JobGraph,
  direction: "right" | "down",
  style: Style = WIDE,
  scale = 1,
): Layout {
  const drawn = new Graph<object, Size & Partial<Point>, EdgeConfig>();
  drawn.setGraph({
    rankdir: direction === "right" ? "LR" : "TB",
    ranksep: style.ranks * scale,
    nodesep: style.nodes * scale,
    marginx: MARGIN,
    marginy: MARGIN,
  });
  for (const node of graph.nodes) drawn.setNode(node.name, scaled(sizeOf(node, style.node), scale));
  for (const { from, to } of graph.edges) {
    drawn.setEdge(from, to, { ...scaled(style.label, scale), labelpos: "c" });
  }
  layout(drawn);
  const nodes = new Map(graph.nodes.map(({ name }) => [name, boxOf(drawn.node(name))] as const));
  const edges = new Map(
    graph.edges.map(({ id, from, to }) => {
      const edge = drawn.edge(from, to);
      const ends = [boxOf(drawn.node(from)), boxOf(drawn.node(to))] as const;
      return [id, { points: portsOf(edge.points ?? [], ...ends, direction), label: boxOf(edge) }] as const;
    }),
  );
  const boxes = [...nodes.values(), ...[...edges.values()].map(({ label }) => label)];
  return {
    direction,
    nodes,
    edges,
    width: Math.ceil(Math.max(...boxes.map(({ x, width }) => x + width)) + MARGIN),
    height: Math.ceil(Math.max(...boxes.map(({ y, height }) => y + height)) + MARGIN),
  };
}

function scaled({ width, height }: Size, scale: number): Size {
  return { width: width * scale, height: height * scale };
}

interface EdgeConfig extends Size, Partial<Point> {
  readonly labelpos: "c";
  readonly points?: readonly Point[];
}

/** Dagre tells the middle of things. */
function boxOf({ x = 0, y = 0, width, height }: Size & Partial<Point>): Box {
  return { x: x - width / 2, y: y - height / 2, width, height };
}
