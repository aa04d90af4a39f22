/** What the page says of nodes and edges, from the health of a real deployment. */
import { expect, test } from "vitest";
import { healthSchema, jobsSchema } from "../../../src/cloudflare/query/schemas.ts";
import type { Health } from "../../../workers/dashboard/api/types.ts";
import { paceOf, thicknessOf } from "../../../workers/dashboard/graph/curve.ts";
import type { GraphFacts, Rates } from "../../../workers/dashboard/graph/facts.ts";
import { factsOf } from "../../../workers/dashboard/graph/facts.ts";
import type { JobGraph } from "../../../workers/dashboard/graph/model.ts";
import { graphOf } from "../../../workers/dashboard/graph/model.ts";
import { describeNode, lagWord, marksOf } from "../../../workers/dashboard/graph/words.ts";
import { Deployment } from "../../query/deployment.ts";
import { graphPlan, Knobs } from "../../query/graph.ts";

const none: Rates = { accepted: () => 0, applied: () => 0 };

async function begin(knobs = new Knobs()) {
  const deployment = new Deployment(graphPlan(knobs));
  const { jobs } = await deployment.get("/v1/jobs", jobsSchema);
  const [job] = jobs;
  if (job === undefined) throw new Error("no job");
  const graph = graphOf(job);
  const look = async (rates = none) =>
    factsOf(graph, (await deployment.get("/v1/health", healthSchema)) as Health, rates);
  return { deployment, graph, look };
}

function described({ nodes }: JobGraph, facts: GraphFacts, name: string): string {
  const [node, known] = [nodes.find((one) => one.name === name), facts.nodes.get(name)];
  if (node === undefined || known === undefined) throw new Error(`no node ${name}`);
  return describeNode(node, known);
}

test("a stage that fills, goes over its mark and empties, with its source refusing meanwhile", async () => {
  const { deployment, graph, look } = await begin();
  const levels = async () => {
    const { nodes } = await look();
    return ["clicks", "locate", "counts"].map((name) => nodes.get(name)?.pressure.level);
  };
  const forward = async (requests: number) => {
    for (let n = 0; n < requests; n++) {
      await deployment.send("clicks", ["a"]);
      await deployment.apply("clicks");
    }
  };
  expect(await levels()).toEqual(["ok", "ok", "ok"]);
  await forward(2);
  expect(await levels()).toEqual(["ok", "filling", "ok"]);
  await forward(1);
  expect(await levels()).toEqual(["over", "over", "ok"]);
  deployment.clock.advance(4_000);
  expect(described(graph, await look(), "locate")).toBe(
    "locate, stage, over its mark, 0 events a second, 3 waiting, oldest 4.0 s, 0 applied, 3 in flight, 0 late, 0 in dead letters",
  );
  await deployment.apply("locate");
  expect(await levels()).toEqual(["ok", "ok", "ok"]);
});

test("what is in flight on an edge is what its reader has not applied", async () => {
  const { deployment, graph, look } = await begin();
  deployment.shards.held.add("ranks");
  for (let n = 0; n < 2; n++) {
    await deployment.send("clicks", ["a"]);
    await deployment.apply("clicks");
  }
  const into = graph.edges.find(({ to }) => to === "ranks");
  const held = await look();
  expect(held.edges.get(into?.id ?? "")?.inFlight).toBe(2);
  expect(held.nodes.get("ranks")?.totals).toMatchObject({ accepted: 2, applied: 0, inFlight: 2 });
  const before = graph.edges.find(({ from }) => from === "counts");
  expect(held.edges.get(before?.id ?? "")).not.toHaveProperty("inFlight");
  deployment.shards.held.clear();
  await deployment.pass(60_000);
  expect((await look()).edges.get(into?.id ?? "")?.inFlight).toBe(0);
});

test("dead letters are marked, and what a silent shard would understate is not said", async () => {
  const knobs = new Knobs();
  const { deployment, look } = await begin(knobs);
  knobs.poison.add("bad");
  await deployment.send("clicks", ["bad"]);
  await deployment.apply("clicks");
  await deployment.apply("locate");
  const { nodes } = await look();
  const locate = nodes.get("locate");
  expect(locate?.totals).toMatchObject({ dead: 1, applied: 0 });
  expect(locate === undefined ? [] : marksOf(locate)).toEqual([{ text: "1 dead", bad: true }]);
  deployment.down.add("locate/0");
  const silent = (await look()).nodes.get("locate");
  expect(silent?.pressure).toMatchObject({ level: "silent", reason: "1 of 1 shards does not answer." });
  expect(silent).not.toHaveProperty("totals");
});

test("rates go to the nodes that apply, and over the edges that lead there", async () => {
  const { graph, look } = await begin();
  const known: Record<string, number> = { "clicks>counts": 10, "clicks>locate": 4, "ticks>idle": 2 };
  const applied = (source: string, operator: string) => known[`${source}>${operator}`] ?? 0;
  const facts = await look({ accepted: (source) => (source === "clicks" ? 10 : 0), applied });
  const rate = (name: string) => facts.nodes.get(name)?.rate;
  expect(["clicks", "counts", "locate", "ticks", "idle", "ranks"].map(rate)).toEqual([10, 10, 4, 2, 2, 0]);
  const edges = graph.edges
    .filter(({ from }) => from === "clicks")
    .map(({ id, to }) => [to, facts.edges.get(id)?.rate]);
  expect(Object.fromEntries(edges)).toMatchObject({ locate: 4 });
  expect(edges.map(([, value]) => value)).toContain(10);
});

test("without any health, nothing is said to be well", async () => {
  const { graph } = await begin();
  const { nodes } = factsOf(graph, undefined, none);
  for (const node of graph.nodes) {
    if (node.type !== "steps") expect(nodes.get(node.name)?.pressure.level).toBe("unknown");
  }
});

test("event time is said as how far it is behind, unless it has ended or is not known", () => {
  const operator = "minutes";
  expect(lagWord({ operator, watermark: null, lagMs: null })).toBe("not known yet");
  expect(lagWord({ operator, watermark: "2026-01-31T12:00:00.000Z", lagMs: 2_100 })).toBe("2.1 s behind");
  const minuteAgo = { operator, watermark: "2026-01-31T12:00:00.000Z", lagMs: 60_000 };
  expect(lagWord(minuteAgo)).toBe("at rest");
  expect(lagWord({ ...minuteAgo, nextTimer: "2026-01-31T12:00:30.000Z" })).toBe("1 min behind");
  expect(lagWord({ operator, watermark: "+275760-09-13T00:00:00.000Z", lagMs: 0 })).toBe("has ended");
});

test("an edge is thicker for more, within bounds, and moves only when something does", () => {
  const rates = [0, 1, 10, 100, 1_000, 1e9];
  const widths = rates.map(thicknessOf);
  expect(widths).toEqual([...widths].sort((a, b) => a - b));
  expect(new Set(widths.slice(0, 5)).size).toBe(5);
  expect(Math.max(...widths)).toBe(7);
  expect([0, 0.2, 20, 5_000].map(paceOf)).toEqual(["still", "slow", "steady", "fast"]);
});
