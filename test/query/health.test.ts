/** Health: what waits where, who refuses and who is busy, and that it answers when parts are silent. */
import { expect, test } from "vitest";
import { healthSchema } from "../../src/cloudflare/query/schemas.ts";
import { Deployment } from "./deployment.ts";
import { graphPlan, Knobs } from "./graph.ts";

test("health tells backlogs, dead letters and shards", async () => {
  const deployment = new Deployment();
  await deployment.send("clicks", ["poison", "poison", "a"]);
  await deployment.apply("clicks");
  await deployment.send("orders", ["waits"]);
  deployment.clock.advance(250);
  deployment.bury("{}");
  const health = await deployment.get("/v1/health", healthSchema);
  expect(health.status).toBe("ok");
  expect(health).not.toHaveProperty("problems");
  expect(health).toMatchObject({ refusing: [], busy: [] });
  expect(health.deadLetters).toEqual({ events: 2, messages: 1 });
  expect(health.queues).toEqual([
    {
      queue: "millrace-clicks",
      kind: "source",
      name: "clicks",
      backlog: { messages: 0, bytes: 0 },
      oldestMessageAgeMs: null,
      highWater: 10_000,
      over: false,
    },
    {
      queue: "millrace-orders",
      kind: "source",
      name: "orders",
      backlog: { messages: 1, bytes: expect.any(Number) },
      oldestMessageAgeMs: 250,
      highWater: 10_000,
      over: false,
    },
  ]);
  expect(health.operators.map(({ operator, shards }) => [operator, shards.length])).toEqual([
    ["counts", 3],
    ["texts", 2],
    ["amounts", 2],
    ["few", 1],
  ]);
  const keys = health.operators[0]?.shards.map((shard) => ("keys" in shard ? shard.keys : 0)) ?? [];
  expect(keys.reduce((sum, n) => sum + n, 0)).toBe(2);
});

test("each edge accounts for what it was given, and each shard for its share", async () => {
  const deployment = new Deployment();
  await deployment.send("clicks", ["poison", "a", "b"]);
  await deployment.apply("clicks", 1, false);
  await deployment.send("clicks", ["a"]);
  await deployment.pass(60_000);
  await deployment.apply("clicks");
  const applied = await deployment.get("/v1/health", healthSchema);
  expect(applied.at).toBe("2026-01-31T12:01:00.000Z");
  const idle = { accepted: 0, applied: 0, late: 0, dead: 0, inFlight: 0, duplicates: 0 };
  expect(applied.flows).toEqual([
    { ...idle, source: "clicks", operator: "counts", accepted: 4, applied: 4, duplicates: 1 },
    { ...idle, source: "clicks", operator: "texts", accepted: 4, applied: 3, dead: 1, duplicates: 1 },
    { ...idle, source: "orders", operator: "amounts" },
    { ...idle, source: "orders", operator: "few" },
  ]);
  for (const { operator, shards } of applied.operators) {
    const flow = applied.flows.find((one) => one.operator === operator);
    expect(sum(shards.map((shard) => ("applied" in shard ? shard.applied : 0)))).toBe(flow?.applied);
  }

  // One of the two edges knows that more was accepted than has come to the other.
  deployment.down.add("texts/1");
  const degraded = await deployment.get("/v1/health", healthSchema);
  expect(degraded.flows.map(({ source, operator }) => `${source}-${operator}`)).toEqual([
    "orders-amounts",
    "orders-few",
  ]);
});

test("what an operator emits is in flight until the next has applied it", async () => {
  const deployment = new Deployment(graphPlan(new Knobs()));
  const ranks = async () => {
    const { flows } = await deployment.get("/v1/health", healthSchema);
    return flows.find(({ operator }) => operator === "ranks");
  };
  deployment.shards.held.add("ranks");
  for (let n = 0; n < 2; n++) {
    await deployment.send("clicks", ["a", "b"]);
    await deployment.apply("clicks");
  }
  expect(await ranks()).toMatchObject({ source: "counts", accepted: 2, applied: 0, inFlight: 2 });
  deployment.shards.held.clear();
  await deployment.pass(60_000);
  expect(await ranks()).toMatchObject({ source: "counts", accepted: 2, applied: 2, inFlight: 0 });
});

test("health is degraded, not dead, when parts are silent", async () => {
  const deployment = new Deployment();
  for (const part of ["counts/0", "messages", "QUEUE_ORDERS"]) deployment.down.add(part);
  deployment.hanging.add("few/0");
  const health = await deployment.get("/v1/health", healthSchema);
  expect(health.status).toBe("degraded");
  expect(health.problems).toEqual([
    "operator counts, shard 0: out of order",
    "operator few, shard 0: no answer within 0.05 s",
    "buried messages: out of order",
  ]);
  expect(health.operators[0]?.shards[0]).toEqual({ shard: 0, error: "out of order" });
  expect(health.deadLetters).toEqual({ events: 0, messages: null });
  expect(health.queues[1]).toMatchObject({ backlog: null, oldestMessageAgeMs: null, over: null });
});

test("a stage's queue over its mark is refused for by the sources that feed it, and by no other", async () => {
  const deployment = new Deployment(graphPlan(new Knobs()));
  const queues = async () => {
    const { queues, refusing } = await deployment.get("/v1/health", healthSchema);
    const stage = queues.find(({ kind }) => kind === "stage");
    return { refusing, stage, over: queues.filter(({ over }) => over).map(({ name }) => name) };
  };
  const forward = async (requests: number) => {
    for (let n = 0; n < requests; n++) {
      await deployment.send("clicks", ["a"]);
      await deployment.apply("clicks");
    }
  };
  await forward(2);
  expect(await queues()).toEqual({
    refusing: [],
    over: [],
    stage: {
      queue: "millrace-locate",
      kind: "stage",
      name: "locate",
      backlog: { messages: 2, bytes: expect.any(Number) },
      oldestMessageAgeMs: 0,
      highWater: 3,
      over: false,
    },
  });
  await forward(1);
  expect(await queues()).toMatchObject({ refusing: ["clicks"], over: ["locate"] });
  await deployment.apply("locate");
  expect(await queues()).toMatchObject({ refusing: [], over: [] });
});

test("the deployment's mark counts for queues that have none of their own", async () => {
  const deployment = new Deployment(graphPlan(new Knobs()));
  await deployment.send("orders", ["waits"]);
  const env = deployment.environment({ OPEN: "yes", BACKLOG_HIGH_WATER: "1" });
  const response = await deployment.request("/v1/health", {}, env);
  expect(await response.json()).toMatchObject({
    refusing: ["orders"],
    queues: [
      { name: "clicks", highWater: 1, over: false },
      { name: "orders", highWater: 1, over: true },
      { name: "locate", highWater: 3, over: false },
    ],
  });
});

test("a shard that cannot hand on what it has emitted shows its outbox, is busy when that is full, and recovers", async () => {
  const deployment = new Deployment(graphPlan(new Knobs()), { outboxBytes: 500 });
  const counts = async () => {
    const health = await deployment.get("/v1/health", healthSchema);
    const operator = health.operators.find((one) => one.operator === "counts");
    return { busy: health.busy, outbox: operator?.outbox, shards: operator?.shards ?? [] };
  };
  deployment.shards.held.add("ranks");
  for (let n = 0; n < 3; n++) {
    await deployment.send("clicks", ["a"]);
    await deployment.apply("clicks", 1);
  }
  deployment.clock.advance(300);
  const full = await counts();
  expect(full.busy).toEqual([expect.stringMatching(/^counts\/[01]$/)]);
  expect(full.outbox?.segments).toBeGreaterThan(1);
  expect(full.outbox?.bytes).toBeGreaterThan(500);
  expect(full.outbox?.oldestAgeMs).toBe(300);
  const shard = Number(full.busy[0]?.split("/")[1]);
  expect(full.shards[shard]).toMatchObject({ busy: true, outbox: full.outbox });
  expect(full.shards[1 - shard]).toMatchObject({ busy: false, outbox: { segments: 0, oldestAgeMs: null } });

  // What it does not take stays where it is: in the queue of the source, which is where ingest sees it.
  await deployment.send("clicks", ["a"]);
  await deployment.apply("clicks", 1);
  expect(deployment.queue("clicks").size).toBeGreaterThan(0);
  deployment.shards.held.clear();
  await deployment.pass(60_000);
  await deployment.apply("clicks");
  const empty = await counts();
  expect(empty).toMatchObject({ busy: [], outbox: { segments: 0, bytes: 0, oldestAgeMs: null } });
  expect(deployment.queue("clicks").size).toBe(0);
});

test("sinks show what they hold, timers when they are due", async () => {
  const knobs = new Knobs();
  const deployment = new Deployment(graphPlan(knobs));
  knobs.sink = "fails";
  knobs.pulled = ["x"];
  await deployment.pass(0);
  await deployment.send("clicks", ["a"]);
  await deployment.apply("clicks");
  await deployment.apply("locate");
  const { operators } = await deployment.get("/v1/health", healthSchema);
  expect(operators.map(({ operator, kind }) => `${operator}: ${kind}`)).toEqual([
    "counts: aggregate",
    "ranks: aggregate",
    "locate: stage",
    "places: aggregate",
    "lines: sink",
    "ticks: pull",
    "idle: process",
    "amounts: aggregate",
  ]);
  const byName = new Map(operators.map((one) => [one.operator, one]));
  expect(byName.get("lines")?.sink).toEqual({
    buffered: 1,
    bytes: expect.any(Number),
    delivered: 0,
    discarded: 0,
  });
  expect(byName.get("places")).not.toHaveProperty("sink");
  expect(byName.get("idle")?.shards).toEqual([
    expect.objectContaining({ nextTimer: "2026-01-31T12:01:00.000Z" }),
  ]);
});

test("a shard of before the last deploy may say less of itself", async () => {
  const deployment = new Deployment();
  const { SHARD } = deployment.env;
  const env = deployment.environment({
    OPEN: "yes",
    SHARD: {
      getByName(name) {
        const shard = SHARD.getByName(name);
        const stats = async () => {
          const { busy, outbox, emitted, ...old } = await shard.stats();
          return old as Awaited<ReturnType<typeof shard.stats>>;
        };
        return { ...shard, stats };
      },
    },
  });
  const response = await deployment.request("/v1/health", {}, env);
  expect(await response.json()).toMatchObject({ status: "ok", busy: [] });
  expect((await deployment.request("/metrics", {}, env)).status).toBe(200);
});

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
