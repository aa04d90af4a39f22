/**
 * The second of three stages is down while events keep coming: its queue grows to its mark, ingest says 429, the outbox in
 * front of it stays small, and when it is back, everything that was accepted arrives, once.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Runtime } from "../../scripts/local/runtime.ts";
import { startRuntime } from "../../scripts/local/runtime.ts";
import { DEFAULT_LIMITS } from "../../src/engine/shard/shard.ts";
import type { Answer } from "./client.ts";
import { get, request } from "./client.ts";
import type { Visitor } from "./jobs/gate.ts";
import { plan } from "./jobs/gate.ts";
import { eventually } from "./support.ts";

const NAMES = 7;
const A_REQUEST = 10;
/** How long it stays down after ingest has first refused; minutes, when asked by hand. */
const DOWN_MS = Number(process.env.DOWN_MS ?? 2_000);

let open = false;
const gate = createServer((_request, response) => response.writeHead(open ? 200 : 503).end());
let runtime: Runtime;
const accepted = new Map<string, number>();
let sent = 0;

beforeAll(async () => {
  gate.listen(0, "127.0.0.1");
  await once(gate, "listening");
  const module = new URL("jobs/gate.ts", import.meta.url).pathname;
  runtime = await startRuntime({ register: { module, plan } });
});

afterAll(async () => {
  await runtime.dispose();
  gate.close();
});

it("refuses what its second stage cannot take, and loses nothing", {
  timeout: DOWN_MS * 4 + 240_000,
}, async () => {
  let refused: Answer | undefined;
  await eventually(async () => {
    const answer = await post();
    if (answer.status === 429) refused = answer;
    return refused !== undefined;
  }, 0);
  expect(Number(refused?.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
  expect(refused?.body.detail).toContain("millrace-let-in");

  for (const end = Date.now() + DOWN_MS; Date.now() < end; await sleep(200)) {
    await post();
    expect(await outboxBytes()).toBeLessThan(DEFAULT_LIMITS.outboxBytes);
  }
  expect((await get(runtime, "/v1/views/inside?total=1")).body.total).toBe(0);

  open = true;
  const all = [...accepted.values()].reduce((sum, n) => sum + n, 0);
  // A try that has just failed waits for about as long as it was down, and then for its turn.
  await eventually(async () => (await insideNow()) >= all, 500, DOWN_MS * 3 + 60_000);
  const entries = (await get(runtime, "/v1/views/inside?limit=100")).body.entries ?? [];
  expect(new Map(entries.map(({ key, value }) => [key, value]))).toEqual(accepted);
  await eventually(async () => (await post()).status === 202);
});

async function insideNow(): Promise<number> {
  return (await get(runtime, "/v1/views/inside?total=1")).body.total ?? 0;
}

async function post(): Promise<Answer> {
  const { port } = gate.address() as AddressInfo;
  const visitors = Array.from({ length: A_REQUEST }, (_, n): Visitor => {
    return { id: `v${sent + n}`, name: `n${(sent + n) % NAMES}`, gate: `http://127.0.0.1:${port}/` };
  });
  sent += A_REQUEST;
  const answer = await request(runtime, "/v1/sources/visitors", {
    method: "POST",
    body: JSON.stringify(visitors),
    headers: { "content-type": "application/json" },
  });
  if (answer.status !== 202) expect(answer.status).toBe(429);
  else for (const { name } of visitors) accepted.set(name, (accepted.get(name) ?? 0) + 1);
  return answer;
}

async function outboxBytes(): Promise<number> {
  const { text } = await get(runtime, "/metrics");
  const lines = text.split("\n").filter((line) => line.startsWith("millrace_outbox_bytes{"));
  expect(lines).not.toEqual([]);
  return lines.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}
