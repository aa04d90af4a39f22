/** Metrics: the conservation law over real shards, edge by edge, and what is said when a part is silent. */
import { expect, test } from "vitest";
import { Deployment } from "./deployment.ts";
import { graphPlan, Knobs } from "./graph.ts";

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
    const sample =
      /^(([a-z_][a-z0-9_]*)(?:\{[a-z]+="[^"]*"(?:,[a-z]+="[^"]*")*\})?) (\d+(?:\.\d+)?(?:e-\d+)?)$/.exec(
        line,
      );
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
  deployment.clock.advance(1500);
  const samples = await scrape(deployment);
  expect(samples.get('millrace_keys{operator="few"}')).toBe(2);
  expect(samples.get('millrace_overflow_events{operator="few"}')).toBe(1);
  expect(samples.get('millrace_commits_total{operator="few"}')).toBe(2);
  expect(samples.get("millrace_buried_messages")).toBe(1);
  const queue = (what: string, source: string) =>
    samples.get(`millrace_queue_${what}{queue="millrace-${source}",kind="source"}`);
  expect(queue("backlog_messages", "clicks")).toBe(1);
  expect(queue("backlog_bytes", "clicks")).toBeGreaterThan(50);
  expect(queue("oldest_message_age_seconds", "clicks")).toBe(1.5);
  expect(queue("oldest_message_age_seconds", "orders")).toBe(0);
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
  expect(samples.has('millrace_queue_backlog_messages{queue="millrace-orders",kind="source"}')).toBe(false);
  expect(samples.has('millrace_queue_backlog_messages{queue="millrace-clicks",kind="source"}')).toBe(true);
});

/** An edge between two operators: what is emitted counts as accepted. */
function edge(samples: Scrape, source: string, operator: string) {
  const { applied, dead, inFlight } = flow(samples, source, operator);
  const emitted = samples.get(`millrace_events_emitted_total{source="${source}",operator="${operator}"}`);
  return { emitted, applied, dead, inFlight };
}

test("the law holds on every edge of a graph, while what is emitted waits and when it has come", async () => {
  const deployment = new Deployment(graphPlan(new Knobs()));
  deployment.shards.held.add("ranks");
  await deployment.send("clicks", ["a", "a", "b"]);
  await deployment.send("clicks", ["a"]);
  await deployment.apply("clicks");
  const before = await scrape(deployment);
  // Each commit emits one change of "a"; those of "b" are filtered before they are emitted.
  expect(edge(before, "counts", "ranks")).toMatchObject({ applied: 0, dead: 0 });
  const emitted = edge(before, "counts", "ranks").emitted as number;
  expect(emitted).toBeGreaterThan(0);
  expect(edge(before, "counts", "ranks").inFlight).toBe(emitted);
  expect(flow(before, "clicks", "locate")).toMatchObject({ accepted: 4, applied: 0, inFlight: 4 });
  expect(before.get('millrace_outbox_segments{operator="counts",kind="aggregate"}')).toBe(emitted);
  expect(before.get('millrace_outbox_bytes{operator="counts",kind="aggregate"}')).toBeGreaterThan(200);
  expect(before.get('millrace_queue_backlog_messages{queue="millrace-locate",kind="stage"}')).toBe(1);

  deployment.clock.advance(700);
  const later = await scrape(deployment);
  expect(later.get('millrace_outbox_oldest_age_seconds{operator="counts",kind="aggregate"}')).toBe(0.7);

  deployment.shards.held.clear();
  await deployment.pass(60_000);
  await deployment.apply("locate");
  const after = await scrape(deployment);
  expect(edge(after, "counts", "ranks")).toEqual({ emitted, applied: emitted, dead: 0, inFlight: 0 });
  expect(flow(after, "clicks", "locate")).toMatchObject({ accepted: 4, applied: 4, inFlight: 0 });
  expect(edge(after, "locate", "places")).toEqual({ emitted: 4, applied: 4, dead: 0, inFlight: 0 });
  expect(edge(after, "locate", "lines")).toEqual({ emitted: 4, applied: 4, dead: 0, inFlight: 0 });
  expect(after.get('millrace_outbox_segments{operator="counts",kind="aggregate"}')).toBe(0);
  expect(after.get('millrace_outbox_oldest_age_seconds{operator="counts",kind="aggregate"}')).toBe(0);
});

test("what a pull source gives is counted where it is emitted, and timers say when they are due", async () => {
  const knobs = new Knobs();
  const deployment = new Deployment(graphPlan(knobs));
  knobs.pulled = ["x", "y"];
  await deployment.pass(0);
  const samples = await scrape(deployment);
  expect(edge(samples, "ticks", "idle")).toEqual({ emitted: 2, applied: 2, dead: 0, inFlight: 0 });
  const due = deployment.clock.now() / 1000 + 60;
  expect(samples.get('millrace_next_timer_timestamp_seconds{operator="idle",kind="process"}')).toBe(due);
  expect(samples.get('millrace_timer_lag_seconds{operator="idle",kind="process"}')).toBe(0);
  deployment.clock.advance(62_500);
  const overdue = await scrape(deployment);
  expect(overdue.get('millrace_timer_lag_seconds{operator="idle",kind="process"}')).toBe(2.5);
  await deployment.pass(0);
  const fired = await scrape(deployment);
  expect(fired.has('millrace_timer_lag_seconds{operator="idle",kind="process"}')).toBe(false);
  expect(edge(fired, "idle", "lines")).toEqual({ emitted: 2, applied: 2, dead: 0, inFlight: 0 });
});

test("what a sink has taken is buffered, delivered or discarded", async () => {
  const knobs = new Knobs();
  const deployment = new Deployment(graphPlan(knobs));
  const sink = async () => {
    const samples = await scrape(deployment);
    const of = (what: string) => samples.get(`millrace_sink_${what}{operator="lines",kind="sink"}`);
    return {
      applied: samples.get('millrace_events_applied_total{source="locate",operator="lines"}'),
      buffered: of("buffered_events"),
      bytes: of("buffered_bytes"),
      delivered: of("delivered_events_total"),
      discarded: of("discarded_events_total"),
    };
  };
  const send = async (...keys: string[]) => {
    await deployment.send("clicks", keys);
    await deployment.apply("clicks");
    await deployment.apply("locate");
  };
  expect(await sink()).toEqual({ applied: 0, buffered: 0, bytes: 0, delivered: 0, discarded: 0 });
  knobs.sink = "fails";
  await send("a", "b", "c");
  const full = await sink();
  expect(full).toMatchObject({ applied: 3, buffered: 3, delivered: 0, discarded: 0 });
  expect(full.bytes).toBeGreaterThan(0);
  knobs.sink = "takes";
  await deployment.pass(2000);
  expect(await sink()).toEqual({ applied: 3, buffered: 0, bytes: 0, delivered: 3, discarded: 0 });
  knobs.sink = "rejects";
  await send("d");
  expect(await sink()).toEqual({ applied: 4, buffered: 0, bytes: 0, delivered: 3, discarded: 1 });
  expect(knobs.written.flatMap(({ events }) => events)).toHaveLength(3);
});

test("a slow stage that commits a client's request in parts counts it once", async () => {
  const knobs = new Knobs();
  const deployment = new Deployment(graphPlan(knobs));
  // Each event takes longer than the least time between two commits of a stage.
  knobs.onStage = () => deployment.clock.advance(1500);
  const client = { producer: "c".repeat(32), sequence: 0 };
  await deployment.send("clicks", ["a", "b", "c", "d"], { client });
  await deployment.apply("clicks");
  await deployment.apply("locate");
  const samples = await scrape(deployment);
  expect(samples.get('millrace_commits_total{operator="locate"}')).toBeGreaterThan(1);
  expect(flow(samples, "clicks", "locate")).toMatchObject({ accepted: 4, applied: 4, inFlight: 0 });
  expect(edge(samples, "locate", "places")).toEqual({ emitted: 4, applied: 4, dead: 0, inFlight: 0 });
});

test("of a silent operator nobody knows what it has emitted, or been given", async () => {
  const deployment = new Deployment(graphPlan(new Knobs()));
  await deployment.send("clicks", ["a"]);
  await deployment.apply("clicks");
  await deployment.apply("locate");
  deployment.down.add("counts/1");
  const samples = await scrape(deployment);
  expect(edge(samples, "counts", "ranks")).toEqual({
    emitted: undefined,
    applied: 1,
    dead: 0,
    inFlight: undefined,
  });
  expect(flow(samples, "clicks", "counts")).toEqual({});
  expect(flow(samples, "clicks", "locate")).toEqual({ applied: 1, late: 0, dead: 0, duplicates: 0 });
  expect(edge(samples, "locate", "places")).toEqual({ emitted: 1, applied: 1, dead: 0, inFlight: 0 });
});

test("what is billed is told by part, with its price, and nothing of it while anybody is silent", async () => {
  const deployment = new Deployment();
  await deployment.send("orders", ["a", "b"]);
  await deployment.apply("orders");
  await deployment.send("orders", ["a", "b", "c"]);
  await deployment.apply("orders");
  const samples = await scrape(deployment);
  // One shard, two calls, a row each and one for its name.
  expect(samples.get('millrace_billed_object_requests_total{part="few"}')).toBe(2);
  expect(samples.get('millrace_billed_rows_written_total{part="few"}')).toBe(3);
  expect(samples.get('millrace_cost_dollars_total{part="few",for="objects"}')).toBe(3e-7);
  expect(samples.get('millrace_cost_dollars_total{part="few",for="rows_written"}')).toBe(3e-6);
  const billed = (all: Scrape) => [...all.keys()].filter((name) => /^millrace_(billed|cost)_/.test(name));
  expect(billed(samples).length).toBeGreaterThan(4);
  deployment.down.add("counts/0");
  expect(billed(await scrape(deployment))).toEqual([]);
});

test("what consumers hand over is told of the source that it was for, whichever shards hold it", async () => {
  const deployment = new Deployment();
  const { shards } = deployment.plan.operators.get("amounts") as { shards: number };
  const bare = { v: 1, generation: 7, operator: "amounts", shards, segments: [] };
  const used = {
    orders: { requests: 2, queue: 3 },
    "click-log": { r2a: 1, r2b: 2, reads: 4, awake: 500 },
  };
  for (const shard of [0, 1]) await deployment.shards.apply({ ...bare, shard, used });
  const before = await scrape(deployment);
  // Nothing is committed yet: it may still be lost, and a counter must not fall.
  expect(before.has('millrace_billed_worker_requests_total{part="orders"}')).toBe(false);
  await deployment.send(
    "orders",
    Array.from({ length: 50 }, (_, n) => `key-${n}`),
  );
  await deployment.apply("orders");
  const after = await scrape(deployment);
  expect(after.get('millrace_billed_worker_requests_total{part="orders"}')).toBe(4);
  expect(after.get('millrace_billed_queue_operations_total{part="orders"}')).toBe(6);
  expect(after.get('millrace_billed_r2_operations_total{part="click-log",class="a"}')).toBe(2);
  expect(after.get('millrace_billed_r2_operations_total{part="click-log",class="b"}')).toBe(4);
  expect(after.get('millrace_cost_dollars_total{part="click-log",for="r2_a"}')).toBe(9e-6);
  // What only reads costs what any call of an object does.
  expect(after.get('millrace_billed_read_requests_total{part="click-log"}')).toBe(8);
  expect(after.get('millrace_cost_dollars_total{part="click-log",for="read_requests"}')).toBe(1.2e-6);
  // A second at 0.128 GB, of which a million are 12.50 dollars.
  expect(after.get('millrace_billed_object_milliseconds_total{part="click-log"}')).toBe(1_000);
  expect(after.get('millrace_cost_dollars_total{part="click-log",for="duration"}')).toBe(1.6e-6);
  // Of four requests and 50 events.
  expect(after.get('millrace_estimated_cpu_milliseconds_total{part="orders"}')).toBe(4 * 0.3 + 50 * 0.001);
  expect(after.get('millrace_cost_dollars_total{part="orders",for="cpu_estimate"}')).toBe(2.5e-8);
});
