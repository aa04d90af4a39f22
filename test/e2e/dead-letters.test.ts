/** Dead letters end to end, in real workerd: what cannot be applied is listed over HTTP, and counts once it is sent again. */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Runtime } from "../../scripts/local/runtime.ts";
import { startRuntime } from "../../scripts/local/runtime.ts";
import type { GraveyardRpc, Namespace } from "../../src/cloudflare/rpc.ts";
import { GRAVEYARD_NAME } from "../../src/cloudflare/rpc.ts";
import type { DeadEvent } from "../../src/engine/segment.ts";
import { plan } from "../../workers/jobs/index.ts";
import { message, producerOf } from "../cloudflare/clicks.ts";
import { countOf, get, json, request } from "./client.ts";

interface OperatorBindings {
  readonly QUEUE_CLICKS: { send(body: string, options: { contentType: "text" }): Promise<unknown> };
  readonly GRAVEYARD: Namespace<GraveyardRpc>;
}

interface Listed {
  readonly entries: { id: string; operator?: string; error?: string; redrivable?: boolean }[];
}

let runtime: Runtime;
let operator: OperatorBindings;

beforeAll(async () => {
  runtime = await startRuntime({});
  operator = await runtime.bindings<OperatorBindings>("millrace-operator");
});

afterAll(() => runtime.dispose());

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("it never came to that");
}

async function listed(): Promise<Listed["entries"]> {
  const { text } = await get(runtime, "/v1/dead-letters");
  return (JSON.parse(text) as Listed).entries;
}

async function redrive(body: unknown) {
  return request(runtime, "/v1/dead-letters/redrive", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: json(body),
  });
}

it("an event that an operator threw on is a dead letter once, its neighbours count, and redriven it counts once", async () => {
  const event = { id: "e1", time: 1_700_000_000_000, key: "/thrown", data: { url: "/thrown" } };
  const dead: DeadEvent = { operator: "page-views", error: "boom", event, n: 1 };
  // What ingest would send for two events, the counter throwing on one of them.
  const [v, generation, fingerprint, source, [segment]] = JSON.parse(
    message(["/neighbour"], { producer: producerOf(1), sequence: 0 }),
  );
  segment[4] = 2;
  const shard = segment[6][0][2][0];
  const [records, dropped] = JSON.parse(shard[1]);
  shard[1] = json([records, dropped, [dead]]);
  const body = json([v, generation, fingerprint, source, [segment]]);
  for (let copies = 0; copies < 3; copies++) await operator.QUEUE_CLICKS.send(body, { contentType: "text" });
  await until(async () => (await listed()).length > 0 && (await countOf(runtime, "/neighbour")) === 1);
  const letters = await listed();
  expect(letters).toHaveLength(1);
  expect(letters[0]).toMatchObject({ operator: "page-views", error: "boom" });
  expect(await countOf(runtime, "/thrown")).toBeUndefined();
  const metrics = (await get(runtime, "/metrics")).text;
  expect(metrics).toMatch(/millrace_events_accepted_total\{source="clicks"\} 2\n/);
  expect(metrics).toMatch(/millrace_events_dead_lettered\{[^}]*\} 1\n/);
  expect(metrics).toMatch(/millrace_events_in_flight\{[^}]*\} 0\n/);

  expect((await redrive({ ids: [letters[0]?.id] })).text).toBe('{"redriven":1}');
  await until(async () => (await countOf(runtime, "/thrown")) === 1);
  expect(await listed()).toEqual([]);
  expect((await redrive({ ids: [letters[0]?.id] })).status).toBe(404);
  const after = (await get(runtime, "/metrics")).text;
  expect(after).toMatch(/millrace_events_accepted_total\{source="clicks"\} 2\n/);
  expect(after).toMatch(/millrace_events_applied_total\{[^}]*\} 2\n/);
  expect(after).toMatch(/millrace_events_dead_lettered\{[^}]*\} 0\n/);
});

it("a message that its queue gave up on is kept, and sent again as it was", async () => {
  const { queue } = [...plan.sources.values()][0] as { queue: { deadLetterQueue: string } };
  const body = message(["/buried"], { producer: producerOf(2), sequence: 0 });
  const graveyard = operator.GRAVEYARD.getByName(GRAVEYARD_NAME);
  const buried = { id: "m1", queue: queue.deadLetterQueue, reason: "gave up", body, redrivable: true };
  await graveyard.bury(buried);
  await graveyard.bury(buried);
  await graveyard.bury({ ...buried, id: "m2", redrivable: false });
  const letters = await listed();
  expect(letters.map(({ redrivable }) => redrivable)).toEqual([true, false]);
  expect((await redrive({ ids: [letters[1]?.id] })).status).toBe(409);
  expect((await redrive({ ids: [letters[0]?.id] })).text).toBe('{"redriven":1}');
  await until(async () => (await countOf(runtime, "/buried")) === 1);
  expect((await listed()).map(({ id }) => id)).toEqual([letters[1]?.id]);
});
