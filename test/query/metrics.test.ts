/** Metrics and health: the conservation law over real shards, and what is said when a part is silent. */
import { expect, test } from "vitest";
import { healthSchema } from "../../src/cloudflare/query/schemas.ts";
import { Deployment } from "./deployment.ts";

type Scrape = Map<string, number>;

async function scrape(deployment: Deployment): Promise<Scrape> {
  const response = await deployment.request("/metrics");
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  const samples: Scrape = new Map();
  const typed = new Set<string>();
  for (const line of (await response.text()).trimEnd().split("\n")) {
    const [, kind, name = ""] = /^# (HELP|TYPE) (\S+) \S/.exec(line) ?? [];
    if (kind !== undefined) {
      if (kind === "TYPE") typed.add(name);
      continue;
    }
    const sample = /^(([a-z_]+)(?:\{[a-z]+="[^"]*"(?:,[a-z]+="[^"]*")*\})?) (\d+(?:\.\d+)?)$/.exec(line);
    expect(sample, line).not.toBeNull();
    expect(typed, line).toContain(sample?.[2]);
    expect(samples.has(sample?.[1] as string), line).toBe(false);
    samples.set(sample?.[1] as string, Number(sample?.[3]));
  }
  return samples;
}

function flow(samples: Scrape, source: string, operator: string) {
  const of = (name: string) => samples.get(`millrace_${name}{source="${source}",operator="${operator}"}`);
  return {
    accepted: samples.get(`millrace_events_accepted_total{source="${source}"}`),
    applied: of("events_applied_total"),
    late: of("events_late_total"),
    dead: of("events_dead_lettered"),
    inFlight: of("events_in_flight"),
    duplicates: of("duplicates_total"),
  };
}

test("accepted = applied + late + dead-lettered + in flight, at every moment", async () => {
  const deployment = new Deployment();
  const client = { producer: "c".repeat(32), sequence: 0 };
  await deployment.send("clicks", ["a", "b", "poison", "dropped"]);
  await deployment.send("clicks", ["a", "poison"], { client });
  await deployment.send("clicks", ["c", "c", "c"]);
  let last = 0;
  for (const [accepted, dead] of [
    [4, 1],
    [6, 2],
    [9, 2],
  ]) {
    await deployment.apply("clicks", 1);
    const samples = await scrape(deployment);
    expect(flow(samples, "clicks", "counts")).toEqual({
      accepted,
      applied: accepted,
      late: 0,
      dead: 0,
      inFlight: 0,
      duplicates: 0,
    });
    const texts = flow(samples, "clicks", "texts");
    expect(texts).toMatchObject({ accepted, dead, inFlight: 0 });
    expect(texts.applied).toBe((accepted as number) - (dead as number));
    expect(accepted).toBeGreaterThan(last);
    last = accepted as number;
  }
});

test("what a later segment tells of is in flight until it is applied, and duplicates are counted as such", async () => {
  const deployment = new Deployment();
  await deployment.send("clicks", ["a", "b"]);
  await deployment.send("clicks", ["a"]);
  // The first message fails, which puts it behind the second; then its acknowledgement is lost.
  await deployment.queue("clicks").deliver(1, async () => undefined);
  await deployment.apply("clicks", 1);
  expect(flow(await scrape(deployment), "clicks", "counts")).toMatchObject({
    accepted: 3,
    applied: 1,
    inFlight: 2,
  });
  await deployment.apply("clicks", 1, false);
  expect(flow(await scrape(deployment), "clicks", "counts")).toMatchObject({
    accepted: 3,
    applied: 3,
    inFlight: 0,
  });
  await deployment.apply("clicks", 1);
  await deployment.send("clicks", ["a", "b", "c", "d", "e"]);
  await deployment.apply("clicks");
  const after = flow(await scrape(deployment), "clicks", "counts");
  expect(after).toMatchObject({ accepted: 8, applied: 8, inFlight: 0 });
  expect(after.duplicates).toBeGreaterThan(0);
});

test("the other metrics", async () => {
  const deployment = new Deployment();
  await deployment.send("orders", ["a", "b"]);
  await deployment.apply("orders");
  await deployment.send("orders", ["a", "b", "c"]);
  await deployment.apply("orders");
  await deployment.send("clicks", ["waits"]);
  deployment.bury("{}");
  const samples = await scrape(deployment);
  expect(samples.get('millrace_keys{operator="few"}')).toBe(2);
  expect(samples.get('millrace_overflow_events{operator="few"}')).toBe(1);
  expect(samples.get('millrace_commits_total{operator="few"}')).toBe(2);
  expect(samples.get('millrace_rows_written{operator="few"}')).toBeGreaterThanOrEqual(2);
  expect(samples.get("millrace_buried_messages")).toBe(1);
  expect(samples.get('millrace_queue_backlog_messages{queue="millrace-clicks"}')).toBe(1);
  expect(samples.get('millrace_queue_backlog_bytes{queue="millrace-clicks"}')).toBeGreaterThan(50);
  expect(samples.get('millrace_queue_oldest_message_age_seconds{queue="millrace-clicks"}')).toBeGreaterThan(
    0,
  );
  expect(samples.get('millrace_queue_oldest_message_age_seconds{queue="millrace-orders"}')).toBe(0);
  expect(samples.get('millrace_shards_silent{operator="few"}')).toBe(0);
});

test("what depends on a silent part is left out, the rest is told", async () => {
  const deployment = new Deployment();
  await deployment.send("clicks", ["a"]);
  await deployment.apply("clicks");
  for (const part of ["counts/0", "messages", "QUEUE_ORDERS"]) deployment.down.add(part);
  const samples = await scrape(deployment);
  expect(samples.get('millrace_shards_silent{operator="counts"}')).toBe(1);
  expect(flow(samples, "clicks", "counts")).toEqual({});
  expect(flow(samples, "clicks", "texts")).toEqual({ applied: 1, late: 0, dead: 0, duplicates: 0 });
  expect(flow(samples, "orders", "few")).toMatchObject({ accepted: 0, inFlight: 0 });
  expect(samples.has("millrace_buried_messages")).toBe(false);
  expect(samples.has('millrace_queue_backlog_messages{queue="millrace-orders"}')).toBe(false);
  expect(samples.has('millrace_queue_backlog_messages{queue="millrace-clicks"}')).toBe(true);
});

test("health tells backlogs, dead letters and shards", async () => {
  const deployment = new Deployment();
  await deployment.send("clicks", ["poison", "poison", "a"]);
  await deployment.apply("clicks");
  await deployment.send("orders", ["waits"]);
  deployment.bury("{}");
  const health = await deployment.get("/v1/health", healthSchema);
  expect(health.status).toBe("ok");
  expect(health).not.toHaveProperty("problems");
  expect(health.deadLetters).toEqual({ events: 2, messages: 1 });
  expect(health.queues).toEqual([
    { queue: "millrace-clicks", backlog: { messages: 0, bytes: 0 }, oldestMessageAgeMs: null },
    {
      queue: "millrace-orders",
      backlog: { messages: 1, bytes: expect.any(Number) },
      oldestMessageAgeMs: expect.any(Number),
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
  expect(health.queues[1]).toEqual({ queue: "millrace-orders", backlog: null, oldestMessageAgeMs: null });
});
