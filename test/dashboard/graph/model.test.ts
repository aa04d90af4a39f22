/** The page's model of a job: nodes, steps in a row as one, and what goes over each edge. */
import { expect, test } from "vitest";
import type { JobGraph } from "../../../workers/dashboard/graph/model.ts";
import { graphOf } from "../../../workers/dashboard/graph/model.ts";
import { examples } from "../../../workers/jobs/examples.ts";
import { jobNamed } from "./jobs.ts";

/** Each node as `name: kind`, or as its steps' kinds. */
function nodes({ nodes }: JobGraph): string[] {
  return nodes.map((node) =>
    node.type === "steps"
      ? `[${node.steps.map(({ kind }) => kind).join(" ")}]`
      : `${node.name}: ${node.type} ${node.kind}`,
  );
}

function edges({ edges }: JobGraph): string[] {
  return edges.map(({ from, to, flows, last }) => {
    const all = flows.map(({ source, operators }) => `${source}>${operators.join("+")}`);
    return `${from} → ${to}: ${all.join(", ")}${last ? "" : " …"}`;
  });
}

test("a stage, and steps between it and who reads it", async () => {
  const graph = graphOf(await jobNamed("exercise-6"));
  expect(nodes(graph)).toEqual([
    "clicks: source source",
    "slow: operator stage",
    "[keyBy]",
    "page-views: operator aggregate",
  ]);
  expect(edges(graph)).toEqual([
    "clicks → slow: clicks>slow",
    "slow → slow.key-by: slow>page-views …",
    "slow.key-by → page-views: slow>page-views",
  ]);
});

test("steps in a row are one node, and one that two read is not joined with either", async () => {
  const graph = graphOf(await jobNamed("sensors"));
  expect(nodes(graph)).toEqual([
    "readings: source source",
    "[keyBy]",
    "district-averages: operator window",
    "[map keyBy]",
    "pollution: operator process",
    "alert-hook: operator sink",
    "[keyBy]",
    "alerts: operator aggregate",
    "[filter keyBy]",
    "alerts-raised: operator aggregate",
  ]);
  const twice = graphOf(await jobNamed("nexmark-q8"));
  expect(nodes(twice)).toEqual([
    "events: source source",
    "[filter map keyBy]",
    "[filter map keyBy]",
    "sellers-among-new-users: operator process",
    "[keyBy]",
    "new-users: operator window",
  ]);
});

test("where streams come together, what goes on is of both; a pull source is an operator", async () => {
  const graph = graphOf(await jobNamed("exercise-3"));
  expect(nodes(graph)).toEqual([
    "clicks: source source",
    "robots: operator pull",
    "[union keyBy]",
    "page-views: operator aggregate",
  ]);
  expect(edges(graph)).toEqual([
    "clicks → clicks.union: clicks>page-views …",
    "robots → clicks.union: robots>page-views …",
    "clicks.union → page-views: clicks>page-views, robots>page-views",
  ]);
});

test("steps that several read carry the flows for all of them", async () => {
  const { edges } = graphOf(await jobNamed("graph"));
  expect(edges.find(({ from, to }) => from === "clicks" && to === "locate")?.flows).toEqual([
    { source: "clicks", operators: ["locate"] },
  ]);
});

test.each(["graph", ...examples.keys()])(
  "the flows of %s are the plan's, each at its own end",
  async (name) => {
    const job = await jobNamed(name);
    const { nodes, edges } = graphOf(job);
    const drawn = edges
      .filter(({ last }) => last)
      .flatMap(({ to, flows }) => flows.map(({ source, operators }) => ({ to, source, operators })));
    for (const { to, operators } of drawn) expect(operators).toEqual([to]);
    const planned = job.operators.flatMap(({ operator, sources }) =>
      sources.map((source) => `${source}>${operator}`),
    );
    expect([...new Set(drawn.map(({ source, to }) => `${source}>${to}`))].sort()).toEqual(planned.sort());
    // Readers come after their inputs: that is the order of the keyboard.
    const places = new Map(nodes.map((node, place) => [node.name, place] as const));
    for (const { from, to } of edges) expect(places.get(from)).toBeLessThan(places.get(to) ?? -1);
  },
);
