/**
 * The last of three stages is down while events keep coming: buffers fill to their limits and no further, ingest says
 * 429, and when it is back, everything that was accepted arrives, once.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Runtime } from "../../scripts/local/runtime.ts";
import { startRuntime } from "../../scripts/local/runtime.ts";
import { DEFAULT_LIMITS } from "../../src/engine/shard/shard.ts";
import type { Answer } from "./client.ts";
import { request } from "./client.ts";
import type { Parcel } from "./jobs/dam.ts";
import { BUFFER_BYTES, plan } from "./jobs/dam.ts";
import { eventually } from "./support.ts";

const A_REQUEST = 50;
const LOAD = "x".repeat(1000);
/** What one batch of messages may add to a buffer that was just below its limit. */
const ONE_CALL_BYTES = 100 * 64_000;
/** How long it stays down after ingest has first refused; minutes, when asked by hand. */
const DOWN_MS = Number(process.env.DOWN_MS ?? 3_000);

let runtime: Runtime;
const accepted = new Set<string>();
let sent = 0;

beforeAll(async () => {
  const module = new URL("jobs/dam.ts", import.meta.url).pathname;
  runtime = await startRuntime({
    register: { module, plan },
    vars: { OPEN: "yes", BACKLOG_HIGH_WATER: "20" },
  });
});

afterAll(() => runtime.dispose());

it("holds what it can, refuses the rest, and loses nothing", { timeout: DOWN_MS * 2 + 240_000 }, async () => {
  const bucket = await runtime.miniflare.getR2Bucket("DELIVERED", "millrace-operator");
  await bucket.put("down", "");
  let refused: Answer | undefined;
  await eventually(async () => {
    const answer = await post();
    if (answer.status === 429) refused = answer;
    return refused !== undefined;
  }, 0);
  expect(Number(refused?.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
  expect(refused?.body.detail).toContain("millrace-parcels");

  for (const end = Date.now() + DOWN_MS; Date.now() < end; await sleep(200)) {
    await post();
    const { outbox, buffered } = await held();
    expect(outbox).toBeLessThan(DEFAULT_LIMITS.outboxBytes + ONE_CALL_BYTES);
    expect(buffered).toBeLessThan(BUFFER_BYTES + ONE_CALL_BYTES);
  }

  await bucket.delete("down");
  await eventually(async () => (await delivered(bucket)).length >= accepted.size, 500);
  const ids = await delivered(bucket);
  expect(ids.length).toBe(accepted.size);
  expect(new Set(ids)).toEqual(accepted);
  expect((await post()).status).toBe(202);
});

async function post(): Promise<Answer> {
  const parcels = Array.from({ length: A_REQUEST }, (_, n): Parcel => {
    return { id: `p${sent + n}`, to: `t${n % 10}`, load: LOAD };
  });
  sent += A_REQUEST;
  const answer = await request(runtime, "/v1/sources/parcels", {
    method: "POST",
    body: JSON.stringify(parcels),
    headers: { "content-type": "application/json" },
  });
  if (answer.status === 202) for (const { id } of parcels) accepted.add(id);
  else expect(answer.status).toBe(429);
  return answer;
}

/** Bytes that the two shards hold, by their own account. */
async function held(): Promise<{ outbox: number; buffered: number }> {
  const { text } = await request(runtime, "/metrics");
  const value = (name: string) => {
    const lines = text.split("\n").filter((line) => line.startsWith(`${name}{`));
    expect(lines, name).not.toEqual([]);
    return lines.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
  };
  return { outbox: value("millrace_outbox_bytes"), buffered: value("millrace_sink_buffered_bytes") };
}

async function delivered(
  bucket: Awaited<ReturnType<Runtime["miniflare"]["getR2Bucket"]>>,
): Promise<string[]> {
  const { objects } = await bucket.list();
  const texts = await Promise.all(
    objects.filter(({ key }) => key !== "down").map(async ({ key }) => (await bucket.get(key))?.text()),
  );
  return texts.flatMap((text) => JSON.parse(text ?? "[]") as string[]);
}
