/** The layout of every example: nothing overlaps, and it goes down where there is no room to the right. */
import { expect, test } from "vitest";
import { fitting, layoutOf } from "../../../workers/dashboard/graph/layout.ts";
import { graphOf } from "../../../workers/dashboard/graph/model.ts";
import { railOf } from "../../../workers/dashboard/graph/rail.ts";
import type { Box, Layout } from "../../../workers/dashboard/graph/shapes.ts";
import { sizeOf } from "../../../workers/dashboard/graph/sizes.ts";
import { examples } from "../../../workers/jobs/examples.ts";
import { jobNamed } from "./jobs.ts";

function overlap(a: Box, b: Box): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

function boxesOf({ nodes, edges }: Layout): [string, Box][] {
  return [...nodes, ...[...edges].map(([id, { label }]): [string, Box] => [id, label])];
}

test.each(["graph", ...examples.keys()])(
  "nodes and labels of %s are apart and inside, whichever way",
  async (name) => {
    const graph = graphOf(await jobNamed(name));
    for (const layout of [
      fitting(graph, 1_300),
      fitting(graph, 350),
      layoutOf(graph, "right"),
      railOf(graph, 330),
    ]) {
      const boxes = boxesOf(layout);
      expect(boxes).toHaveLength(graph.nodes.length + graph.edges.length);
      for (const [i, [one, box]] of boxes.entries()) {
        expect(box.x).toBeGreaterThanOrEqual(0);
        expect(box.y).toBeGreaterThanOrEqual(0);
        expect(box.x + box.width).toBeLessThanOrEqual(layout.width);
        expect(box.y + box.height).toBeLessThanOrEqual(layout.height);
        for (const [other, another] of boxes.slice(i + 1)) {
          expect(overlap(box, another), `${one} and ${other} overlap`).toBe(false);
        }
      }
    }
  },
);

test("it goes to the right where there is room, and down where there is not", async () => {
  const graph = graphOf(await jobNamed("exercise-6"));
  const wide = fitting(graph, 1_300);
  expect(wide.direction).toBe("right");
  const narrow = fitting(graph, 358);
  expect(narrow.direction).toBe("down");
  expect(narrow.width).toBeLessThanOrEqual(358);
  for (const { from, to } of graph.edges) {
    const [left, right] = [wide.nodes.get(from), wide.nodes.get(to)] as [Box, Box];
    expect(left.x + left.width).toBeLessThan(right.x);
    const [above, below] = [narrow.nodes.get(from), narrow.nodes.get(to)] as [Box, Box];
    expect(above.y + above.height).toBeLessThan(below.y);
  }
});

test.each(["sensors", "graph"])(
  "what is too wide for a phone has a row for each node there: %s",
  async (name) => {
    const graph = graphOf(await jobNamed(name));
    const layout = fitting(graph, 335, 15 / 16);
    expect(layout).toMatchObject({ direction: "rail", width: 335 });
    let below = 0;
    for (const { name } of graph.nodes) {
      const box = layout.nodes.get(name) as Box;
      expect(box.y).toBeGreaterThan(below);
      below = box.y + box.height;
      for (const { id } of graph.edges.filter(({ to }) => to === name)) {
        const end = layout.edges.get(id)?.points.at(-1);
        expect(end?.x).toBe(box.x);
        expect(end?.y).toBeGreaterThan(box.y);
        expect(end?.y).toBeLessThan(below);
      }
    }
  },
);

test("a node is as large as its kind, whatever its numbers; a longer row of steps is taller", async () => {
  const { nodes } = graphOf(await jobNamed("nexmark-q8"));
  const steps = nodes.filter(({ type }) => type === "steps").map((node) => sizeOf(node, 200).height);
  expect(Math.max(...steps)).toBeGreaterThan(Math.min(...steps));
  for (const node of nodes) expect(sizeOf(node, 200).width).toBeLessThanOrEqual(200);
});
