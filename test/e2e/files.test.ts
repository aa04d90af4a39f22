/** The shipped sinks and pull sources in real workerd: on an R2 bucket, on a queue, and over its own fetch and crypto. */
import { createHmac, randomBytes } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Runtime } from "../../scripts/local/runtime.ts";
import { startRuntime } from "../../scripts/local/runtime.ts";
import type { FileStore } from "../../src/index.ts";
import { fileStoreContract } from "../conformance/file-store.ts";

const OPENED = Date.UTC(2026, 10, 26, 8, 15, 30);
const secret = randomBytes(32);
const received: { method: string | undefined; headers: IncomingHttpHeaders; body: string }[] = [];
let server: Server;
let runtime: Runtime;
let bucket: FileStore;

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const { method, headers } = request;
    received.push({ method, headers, body: await text(request) });
    // On a connection of its own: Node closes idle ones, and workerd might be about to use it.
    response.writeHead(headers["if-none-match"] === '"v1"' ? 304 : 200, {
      etag: '"v1"',
      connection: "close",
    });
    response.end("news");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const vars = {
    TEST_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    ALERTS_SECRET: `whsec_${secret.toString("base64")}`,
  };
  const config = fileURLToPath(new URL("sink-worker/wrangler.toml", import.meta.url));
  runtime = await startRuntime({ workers: [{ config }], vars });
  bucket = (await runtime.bindings<{ FILES: FileStore }>("sink-worker")).FILES;
});

afterAll(async () => {
  await runtime?.dispose();
  server.closeAllConnections();
  server.close();
});

async function ask(asked: unknown): Promise<unknown> {
  const response = await runtime.fetch("/", { method: "POST", body: JSON.stringify(asked) });
  const body = await response.text();
  if (!response.ok) throw new Error(`the sink Worker answered ${response.status}: ${body}`);
  return JSON.parse(body) as unknown;
}

async function emptied(): Promise<FileStore> {
  for (const { key } of (await bucket.list()).objects) await bucket.delete(key);
  return bucket;
}

function batchOf(operator: string, count: number) {
  const events = Array.from({ length: count }, (_, n) => ({
    id: `e${n}`,
    time: OPENED + n,
    key: `user-${n % 3}`,
    data: { url: `/${n}` },
  }));
  return { id: `${operator}/0/1`, operator, shard: 0, number: 1, opened: OPENED, events };
}

fileStoreContract("R2", emptied);

it("writes a file to R2 once, however often, and what is erased from it stays away", async () => {
  await emptied();
  const batch = batchOf("log", 3_000);
  await ask({ what: "files", batch });
  const key = "log/2026/11/26/08/0-0000000001.ndjson.gz";
  const file = await bucket.get(key);
  const content = Buffer.from((await file?.arrayBuffer()) as ArrayBuffer);
  expect(file).toMatchObject({
    httpMetadata: { contentType: "application/x-ndjson", contentEncoding: "gzip" },
    customMetadata: { batch: "log/0/1", events: "3000" },
  });
  const lines = gunzipSync(content).toString().trimEnd().split("\n");
  expect(lines.map((line) => JSON.parse(line).id)).toEqual(batch.events.map(({ id }) => id));
  await ask({ what: "files", batch });
  expect((await bucket.head(key))?.etag).toBe(file?.etag);
  expect(await ask({ what: "read" })).toEqual(batch.events);

  expect(await ask({ what: "erase", key: "user-1" })).toEqual({ objects: 1, rewritten: 1, events: 1_000 });
  await ask({ what: "files", batch });
  expect(await ask({ what: "read" })).toEqual(batch.events.filter(({ key }) => key !== "user-1"));
});

it("sends events to a queue, in messages that its consumer gets as JSON", async () => {
  received.length = 0;
  const batch = batchOf("to-billing", 230);
  // The largest that the sink takes for one: the platform has to take it too.
  const most = { id: "most", time: OPENED, data: "x".repeat(126_900) };
  const over = { id: "over", time: OPENED, data: "x".repeat(128_000) };
  const events = [...batch.events, most, over];
  expect(await ask({ what: "queue", batch: { ...batch, events } })).toEqual({ rejected: ["over"] });
  const messages = () => received.flatMap(({ body }) => JSON.parse(body) as { id: string; time: string }[]);
  await expect.poll(() => messages().length, { timeout: 20_000 }).toBe(231);
  expect(messages().map(({ id }) => id)).toEqual([...batch.events.map(({ id }) => id), "most"]);
  expect(messages()[1]).toEqual({ ...batch.events[1], time: "2026-11-26T08:15:30.001Z" });
});

it("signs and posts a batch", async () => {
  received.length = 0;
  await ask({ what: "webhook", batch: batchOf("alerts", 2) });
  const [{ headers, body }] = received as [(typeof received)[number]];
  const content = `alerts/0/1.${headers["webhook-timestamp"]}.${body}`;
  expect(headers["webhook-signature"]).toBe(
    `v1,${createHmac("sha256", secret).update(content).digest("base64")}`,
  );
  expect(JSON.parse(body)).toMatchObject({
    id: "alerts/0/1",
    sink: "alerts",
    events: [{ id: "e0" }, { id: "e1" }],
  });
});

it("polls with what it has seen", async () => {
  const first = (await ask({ what: "poll" })) as { events: unknown; offset: unknown };
  expect(first.events).toEqual([{ data: "news" }]);
  expect(await ask({ what: "poll", offset: first.offset })).toEqual({ events: [], offset: first.offset });
});

it("knows the time zones of the world", async () => {
  const from = Date.UTC(2026, 2, 28, 12);
  const { events } = (await ask({ what: "cron", from, to: from + 48 * 3_600_000 })) as {
    events: { time: number }[];
  };
  expect(events.map(({ time }) => new Date(time).toISOString())).toEqual([
    "2026-03-29T01:00:00.000Z",
    "2026-03-30T00:30:00.000Z",
  ]);
});
