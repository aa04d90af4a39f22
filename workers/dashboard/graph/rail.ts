/** Rail: a layout for narrow screens: each node has a row, indented by how far it is from a source, and edges run at the left. */
import type { JobGraph } from "./model.ts";
import type { Box, EdgeLayout, Layout, Point } from "./shapes.ts";
import { MARGIN, sizeOf } from "./sizes.ts";

const INDENT = 22;
/** Where an edge leaves a node, from its left. */
const PORT = 8;
const LABEL_HEIGHT = 20;
/** Above a node, besides the labels of the edges that lead to it. */
const GAP = 8;
/** How far down the first edge arrives at a node. */
const ARRIVAL = 16;
/** However far from a source, a card is as wide. */
const LEAST = 150;

export function railOf(graph: JobGraph, width: number, scale = 1): Layout {
  const depths = depthsOf(graph);
  const deepest = Math.max(1, ...depths.values());
  const room = width - 2 * MARGIN;
  const indent = Math.min(INDENT * scale, Math.max(0, room - LEAST * scale) / deepest);
  const nodes = new Map<string, Box>();
  const edges = new Map<string, EdgeLayout>();
  let y = MARGIN;
  for (const node of graph.nodes) {
    const x = MARGIN + (depths.get(node.name) ?? 0) * indent;
    const inputs = graph.edges.filter(({ to }) => to === node.name);
    const { width: wide, height } = sizeOf(node, (room + MARGIN - x) / scale);
    const top = y + inputs.length * LABEL_HEIGHT * scale;
    nodes.set(node.name, { x, y: top, width: wide * scale, height: height * scale });
    for (const [i, { id, from }] of inputs.entries()) {
      const label = {
        x: x + 4,
        y: y + i * LABEL_HEIGHT * scale,
        width: room + MARGIN - x - 4,
        height: LABEL_HEIGHT * scale,
      };
      const step = Math.min(12, (height * scale - 2 * ARRIVAL) / Math.max(1, inputs.length - 1));
      const arrival = { x, y: top + ARRIVAL + i * Math.max(0, step) };
      edges.set(id, { points: elbow(nodes.get(from), arrival), label });
    }
    y = top + height * scale + GAP * scale;
  }
  return { direction: "rail", nodes, edges, width, height: Math.ceil(y + MARGIN) };
}

function elbow(from: Box | undefined, to: Point): Point[] {
  if (from === undefined) return [];
  const x = Math.min(from.x + PORT, to.x - 4);
  return [{ x, y: from.y + from.height }, { x, y: to.y }, to];
}

/** How many edges it is from a source, at most. */
function depthsOf({ nodes, edges }: JobGraph): Map<string, number> {
  const depths = new Map<string, number>();
  for (const { name } of nodes) {
    const before = edges.flatMap(({ from, to }) => (to === name ? [depths.get(from) ?? 0] : []));
    depths.set(name, before.length === 0 ? 0 : Math.max(...before) + 1);
  }
  return depths;
}
