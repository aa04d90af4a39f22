/** Sizes: how much room nodes need. */
import type { GraphNode } from "./model.ts";
import type { Size } from "./shapes.ts";

/** Around a drawing. */
export const MARGIN = 8;

/** What a node's card needs, by what it has to say; fixed, so that numbers that come move nothing. For text of 16 pixels. */
export function sizeOf(node: GraphNode, width: number): Size {
  if (node.type === "steps") return { width: Math.min(width, 116), height: 26 + 18 * node.steps.length };
  if (node.type === "source") return { width, height: 112 };
  const queue = node.operator.stage === undefined ? 0 : 32;
  return { width, height: 118 + queue };
}
