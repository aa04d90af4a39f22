/** Curve: a smooth SVG path through the points of an edge. */
import type { Box, Direction, Point } from "./shapes.ts";

/**
 * The points of an edge, from the middle of one side of a node to the middle of the other's: a layout may let edges end
 * anywhere on a border, where many that end at one place are easier to follow.
 *
 * @param points as the layout has them, of which the first and the last are on borders.
 */
export function portsOf(points: readonly Point[], from: Box, to: Box, direction: Direction): Point[] {
  const bends = points.slice(1, -1);
  return direction === "right"
    ? [
        { x: from.x + from.width, y: from.y + from.height / 2 },
        ...bends,
        { x: to.x, y: to.y + to.height / 2 },
      ]
    : [
        { x: from.x + from.width / 2, y: from.y + from.height },
        ...bends,
        { x: to.x + to.width / 2, y: to.y },
      ];
}

/** Leaves and arrives in the direction of the graph, with a bend on the way from each point to the next. */
export function curveOf(points: readonly Point[], direction: Direction): string {
  const [first, ...rest] = points;
  if (first === undefined) return "";
  if (direction === "rail")
    return [first, ...rest].map((point, i) => `${i === 0 ? "M" : "L"}${at(point)}`).join(" ");
  let path = `M${at(first)}`;
  let from = first;
  for (const to of rest) {
    const [a, b] =
      direction === "right"
        ? [
            { x: (from.x + to.x) / 2, y: from.y },
            { x: (from.x + to.x) / 2, y: to.y },
          ]
        : [
            { x: from.x, y: (from.y + to.y) / 2 },
            { x: to.x, y: (from.y + to.y) / 2 },
          ];
    path += ` C${at(a)} ${at(b)} ${at(to)}`;
    from = to;
  }
  return path;
}

function at({ x, y }: Point): string {
  return `${Math.round(x * 10) / 10},${Math.round(y * 10) / 10}`;
}

/** Thicker with the rate, slowly: ten times as much is one step. */
export function thicknessOf(rate: number): number {
  return Math.min(7, 1.5 + Math.log10(1 + Math.max(0, rate)) * 1.4);
}

/** How fast the dashes of an edge move. Steps, so that a rate that sways a little changes nothing. */
export function paceOf(rate: number): "still" | "slow" | "steady" | "fast" {
  if (rate <= 0) return "still";
  if (rate < 5) return "slow";
  return rate < 200 ? "steady" : "fast";
}
