/** Tickets: in flight until every touched shard has committed, and no shard is asked that is not touched. */
import { expect, test } from "vitest";
import type { Ticket } from "../../src/cloudflare/http/ticket.ts";
import { decodeTicket, encodeTicket } from "../../src/cloudflare/http/ticket.ts";
import { ticketSchema } from "../../src/cloudflare/query/schemas.ts";
import { readProgress } from "../../src/engine/shard/reader.ts";
import { shardOf } from "../../src/hash.ts";
import { count, Job, planJobs, tumbling } from "../../src/index.ts";
import { Deployment, ItemReader } from "./deployment.ts";
import { graphPlan, Knobs } from "./graph.ts";

test("a ticket is in flight until every shard that it touches has it", async () => {
  const deployment = new Deployment();
  await deployment.send("clicks", ["first"]);
  const ticket = await deployment.send("clicks", ["a", "b", "c", "d"]);
  await deployment.apply("clicks", 1);
  const before = await deployment.get(`/v1/tickets/${ticket}`, ticketSchema);
  expect(before).toMatchObject({ ticket, source: "clicks", state: "in-flight" });
  expect(before.operators.map(({ operator, state }) => [operator, state])).toEqual([
    ["counts", "in-flight"],
    ["texts", "in-flight"],
  ]);

  deployment.asked.length = 0;
  await deployment.apply("clicks");
  const after = await deployment.get(`/v1/tickets/${ticket}`, ticketSchema);
  expect(after.state).toBe("applied");
  for (const { operator, state, shards } of after.operators) {
    expect(state).toBe("applied");
    const planned = deployment.plan.operators.get(operator)?.shards ?? 0;
    const touched = new Set(["a", "b", "c", "d"].map((key) => shardOf(key, planned)));
    expect(shards.map(({ shard, state }) => [shard, state])).toEqual(
      [...touched].sort().map((shard) => [shard, "applied"]),
    );
  }
  const expected = after.operators.flatMap(({ operator, shards }) =>
    shards.map(({ shard }) => `${operator}/${shard}`),
  );
  expect(deployment.asked.toSorted()).toEqual(expected.toSorted());
});

test("a request of many segments is applied with the last of them", async () => {
  const deployment = new Deployment();
  const keys = Array.from({ length: 120 }, (_, n) => `${n}/`.repeat(200));
  const ticket = await deployment.send("clicks", keys);
  expect(decodeTicket(ticket)?.segments).toBeGreaterThan(1);
  await deployment.apply("clicks", 1);
  expect((await deployment.get(`/v1/tickets/${ticket}`, ticketSchema)).state).toBe("in-flight");
  await deployment.apply("clicks");
  expect((await deployment.get(`/v1/tickets/${ticket}`, ticketSchema)).state).toBe("applied");

  // One segment more than was ever sent, in the same shards.
  const { segments, operators, ...rest } = decodeTicket(ticket) as Ticket;
  const more = operators.map(({ name, shards }) => ({ name, shards: [...shards, shards[0] ?? []] }));
  const longer = encodeTicket({ ...rest, segments: segments + 1, operators: more });
  expect((await deployment.get(`/v1/tickets/${longer}`, ticketSchema)).state).toBe("in-flight");
});

test("a ticket says when its request was accepted and, of each shard, when and by which commit it was applied", async () => {
  const deployment = new Deployment();
  await deployment.send("clicks", ["a"]);
  await deployment.apply("clicks");
  const arrival = new Date(deployment.clock.now()).toISOString();
  const ticket = await deployment.send("clicks", ["a", "a"]);
  const inFlight = await deployment.get(`/v1/tickets/${ticket}`, ticketSchema);
  expect(inFlight).not.toHaveProperty("arrival");
  expect(inFlight.operators[0]?.shards).toEqual([{ shard: shardOf("a", 3), state: "in-flight" }]);

  deployment.clock.advance(1234);
  await deployment.apply("clicks");
  const appliedAt = new Date(deployment.clock.now()).toISOString();
  deployment.clock.advance(1234);
  const applied = await deployment.get(`/v1/tickets/${ticket}`, ticketSchema);
  const times = { state: "applied", appliedAt, lsn: 2, late: 0, dead: 0 };
  expect(applied).toMatchObject({ arrival, state: "applied" });
  expect(applied.operators).toEqual([
    { operator: "counts", state: "applied", shards: [{ shard: shardOf("a", 3), ...times }] },
    { operator: "texts", state: "applied", shards: [{ shard: shardOf("a", 2), ...times }] },
  ]);
});

test("a ticket of many segments is applied at a shard with the last of them, and adds up what came of them", async () => {
  const deployment = new Deployment();
  const keys = Array.from({ length: 120 }, (_, n) => (n % 2 === 0 ? `${n}/`.repeat(200) : "poison"));
  const ticket = await deployment.send("clicks", keys);
  const segments = decodeTicket(ticket)?.segments ?? 0;
  expect(segments).toBeGreaterThan(1);
  // One message at a time: a commit each.
  while (deployment.queue("clicks").size > 0) {
    deployment.clock.advance(1000);
    await deployment.apply("clicks", 1);
  }
  const { arrival, operators } = await deployment.get(`/v1/tickets/${ticket}`, ticketSchema);
  const texts = operators.find(({ operator }) => operator === "texts")?.shards ?? [];
  expect(texts.reduce((sum, { dead = 0 }) => sum + dead, 0)).toBe(60);
  expect(texts.map(({ late }) => late)).toEqual(texts.map(() => 0));
  const last = Math.max(...texts.map(({ appliedAt = "" }) => Date.parse(appliedAt)));
  expect(last - Date.parse(arrival ?? "")).toBeGreaterThan(1000);

  // Of what a shard remembers only in part it says nothing but that it is applied.
  const forgetful = new Deployment(undefined, { recentSegments: 1 });
  const again = await forgetful.send("clicks", keys);
  await forgetful.apply("clicks");
  const after = await forgetful.get(`/v1/tickets/${again}`, ticketSchema);
  expect(after.operators.flatMap(({ shards }) => shards)).toContainEqual({ shard: 0, state: "applied" });
});

test("what was late is counted", async () => {
  const shop = new Job("shop");
  const byKey = shop.addSource(new ItemReader("clicks")).keyBy(({ key }) => key);
  byKey.window(tumbling("1 minute")).aggregate("per-minute", count(), { shards: 1 });
  const deployment = new Deployment(planJobs([shop], { generation: 7 }));
  const now = deployment.clock.now();
  const items = [now, now - 3_600_000, now].map((time) => ({ key: "a", time }));
  const ticket = await deployment.send("clicks", items);
  await deployment.apply("clicks");
  const { operators } = await deployment.get(`/v1/tickets/${ticket}`, ticketSchema);
  expect(operators[0]?.shards).toMatchObject([{ state: "applied", late: 1, dead: 0 }]);
});

test("shards of before there were times give the state alone", async () => {
  const deployment = new Deployment();
  const ticket = await deployment.send("clicks", ["a"]);
  deployment.old = true;
  expect((await deployment.get(`/v1/tickets/${ticket}`, ticketSchema)).state).toBe("in-flight");
  await deployment.apply("clicks");
  expect(await deployment.get(`/v1/tickets/${ticket}`, ticketSchema)).toEqual({
    ticket,
    source: "clicks",
    state: "applied",
    operators: [
      { operator: "counts", state: "applied", shards: [{ shard: shardOf("a", 3), state: "applied" }] },
      { operator: "texts", state: "applied", shards: [{ shard: shardOf("a", 2), state: "applied" }] },
    ],
  });
});

test("what a filter dropped is applied, and an operator that nothing touches", async () => {
  const deployment = new Deployment();
  const ticket = await deployment.send("clicks", ["dropped"]);
  await deployment.apply("clicks");
  expect((await deployment.get(`/v1/tickets/${ticket}`, ticketSchema)).state).toBe("applied");

  const untouched: Ticket = {
    ...(decodeTicket(ticket) as Ticket),
    operators: [{ name: "counts", shards: [[]] }],
  };
  const answer = await deployment.get(`/v1/tickets/${encodeTicket(untouched)}`, ticketSchema);
  expect(answer.operators).toEqual([{ operator: "counts", state: "applied", shards: [] }]);
});

test("whatever is no ticket of this deployment is a 404", async () => {
  const deployment = new Deployment();
  const good = decodeTicket(await deployment.send("clicks", ["a"])) as Ticket;
  const forged: Ticket[] = [
    { ...good, source: "nobody" },
    { ...good, source: "__proto__" },
    { ...good, source: "orders" },
    { ...good, operators: [{ name: "nobody", shards: [[0]] }] },
    { ...good, operators: [{ name: "counts", shards: [[3]] }] },
  ];
  for (const id of ["nonsense", "%00", "e30", "a".repeat(5000), ...forged.map(encodeTicket)]) {
    const response = await deployment.request(`/v1/tickets/${id}`);
    expect(response.status).toBe(404);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
  }
});

test("a shard that is silent makes it a 503, not a state", async () => {
  const deployment = new Deployment();
  const ticket = await deployment.send("clicks", ["a"]);
  deployment.down.add(`counts/${shardOf("a", 3)}`);
  expect((await deployment.request(`/v1/tickets/${ticket}`)).status).toBe(503);
});

test("a stage has applied a request when it has worked off all of it, and the ticket reaches no further", async () => {
  const knobs = new Knobs();
  const deployment = new Deployment(graphPlan(knobs));
  deployment.shards.held.add("places").add("ranks");
  const ticket = await deployment.send("clicks", ["a", "b", "c"]);
  const states = async () => {
    const { state, operators, beyond } = await deployment.get(`/v1/tickets/${ticket}`, ticketSchema);
    return { state, beyond, operators: operators.map((one) => `${one.operator}: ${one.state}`) };
  };
  const beyond = ["ranks", "places", "lines"];
  await deployment.apply("clicks");
  const forwarded = { state: "in-flight", beyond, operators: ["counts: applied", "locate: in-flight"] };
  expect(await states()).toEqual(forwarded);

  // Slow events are committed one by one; the segment is applied with the last of them.
  const seen: unknown[] = [];
  knobs.onStage = () => {
    deployment.clock.advance(1500);
    const [done] = readProgress(deployment.shards.shard("locate", 0), [decodeTicket(ticket) as Ticket]);
    seen.push(done);
  };
  const midway = Promise.withResolvers<Awaited<ReturnType<typeof states>>>();
  const { onStage } = knobs;
  knobs.onStage = (key) => {
    onStage(key);
    if (key === "c") states().then(midway.resolve, midway.reject);
  };
  await deployment.apply("locate");
  expect(seen.at(-1)).not.toBe("all");
  expect(seen.at(-1)).not.toEqual([]);
  expect(await midway.promise).toEqual(forwarded);

  // What it emits further on still waits: that has no ticket.
  expect(deployment.shards.outboxSize).toBeGreaterThan(0);
  expect(await states()).toEqual({
    state: "applied",
    beyond,
    operators: ["counts: applied", "locate: applied"],
  });
});

test("an event that a stage fails on is applied too: its dead letter has it", async () => {
  const knobs = new Knobs();
  const deployment = new Deployment(graphPlan(knobs));
  knobs.poison.add("b");
  const ticket = await deployment.send("clicks", ["a", "b"]);
  await deployment.apply("clicks");
  await deployment.apply("locate");
  expect((await deployment.get(`/v1/tickets/${ticket}`, ticketSchema)).state).toBe("applied");
});

test("a ticket says nothing of an operator that was retired since", async () => {
  const before = new Deployment();
  const ticket = await before.send("clicks", ["a"]);
  const { operators, ...plan } = before.plan;
  const rest = new Map([...operators].filter(([name]) => name !== "texts"));
  const after = new Deployment({ ...plan, operators: rest, retired: new Set(["texts"]) });
  const answer = await after.get(`/v1/tickets/${ticket}`, ticketSchema);
  expect(answer.operators.map(({ operator }) => operator)).toEqual(["counts"]);
  const gone = new Deployment({ ...plan, operators: rest });
  expect((await gone.request(`/v1/tickets/${ticket}`)).status).toBe(404);
});
