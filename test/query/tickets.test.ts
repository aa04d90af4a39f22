/** Tickets: in flight until every touched shard has committed, and no shard is asked that is not touched. */
import { expect, test } from "vitest";
import type { Ticket } from "../../src/cloudflare/http/ticket.ts";
import { decodeTicket, encodeTicket } from "../../src/cloudflare/http/ticket.ts";
import { ticketSchema } from "../../src/cloudflare/query/schemas.ts";
import { shardOf } from "../../src/hash.ts";
import { Deployment } from "./deployment.ts";

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
    expect(shards).toEqual([...touched].sort().map((shard) => ({ shard, state: "applied" })));
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
