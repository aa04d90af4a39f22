/** Live views in real workerd: WebSockets and server-sent events, one feed for all who watch, evictions, a killed server. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Runtime } from "../../scripts/local/runtime.ts";
import { startRuntime } from "../../scripts/local/runtime.ts";
import { feedName, shardName } from "../../src/cloudflare/rpc.ts";
import { Viewer } from "../live/viewer.ts";
import { applied, get, post, request } from "./client.ts";
import { eventually } from "./support.ts";

const VIEW = "page-views";
const SHARDS = 4;
const TEXT = { "content-type": "text/plain" };

let stateDir: string;
let runtime: Runtime;
const viewers: Viewer[] = [];

beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), "millrace-live-"));
  runtime = await startRuntime({ stateDir });
});
afterEach(() => {
  for (const viewer of viewers.splice(0)) viewer.leave();
});
afterAll(async () => {
  await runtime.dispose();
  await rm(stateDir, { recursive: true, force: true });
});

function watch(path: string): Viewer {
  const url = new URL(path, runtime.url);
  url.protocol = "ws:";
  const viewer = new Viewer(url);
  viewers.push(viewer);
  return viewer;
}

async function click(...urls: readonly string[]): Promise<void> {
  const answer = await post(runtime, urls.join("\n"), TEXT);
  expect(answer.status, answer.text).toBe(202);
  await applied(runtime, [answer]);
}

async function evict(className: string, name: string): Promise<boolean> {
  try {
    await runtime.miniflare.unsafeEvictDurableObject("millrace-operator", className, { name });
    return true;
  } catch (error) {
    // One that has nothing to do is not there to be evicted.
    if (!/not currently running/.test(String(error))) throw error;
    return false;
  }
}

test("a snapshot, then what changes, for keys, tops, prefixes, totals and windows at the same time", async () => {
  await click("/live/a", "/live/b");
  const one = watch(`/v1/views/${VIEW}/live?key=${encodeURIComponent("/live/a")}`);
  const listed = watch(`/v1/views/${VIEW}/live?prefix=/live/`);
  const top = watch(`/v1/views/${VIEW}/live?top=1`);
  const total = watch(`/v1/views/${VIEW}/live?total=1`);
  const windows = watch(`/v1/views/page-views-per-minute/live?from=-1h&prefix=/live/`);
  await Promise.all(
    [one, listed, top, total, windows].map((viewer) => viewer.until(({ told }) => told.length > 0)),
  );
  expect(listed.told[0]).toEqual({
    type: "snapshot",
    view: VIEW,
    entries: [
      { key: "/live/a", value: 1 },
      { key: "/live/b", value: 1 },
    ],
  });
  await click("/live/a", "/live/a", "/live/c");
  await one.until(({ values }) => values["/live/a"] === 3);
  await listed.until(({ values }) => values["/live/a"] === 3 && values["/live/c"] === 1);
  await top.until(({ values }) => values["/live/a"] === 3);
  expect(Object.keys(top.values)).toHaveLength(1);
  await total.until(({ told }) => JSON.stringify(told.at(-1)).includes('"keys":3,"total":5'));
  await windows.until(({ entries }) => sumOf(entries, "/live/a") === 3 && sumOf(entries, "/live/c") === 1);
  expect(windows.entries.every(({ final }) => final === false)).toBe(true);
});

function sumOf(entries: Viewer["entries"], key: string): number {
  return entries.filter((entry) => entry.key === key).reduce((sum, { value }) => sum + (value as number), 0);
}

test("a hostile key is text, from before it is there; pings are answered; what a viewer should not say ends it", async () => {
  const key = '/live/<img src=x onerror="x">\u202e\n\0😀';
  const viewer = watch(`/v1/views/${VIEW}/live?key=${encodeURIComponent(key)}`);
  await viewer.until(({ told }) => told.length > 0);
  expect(viewer.told[0]).toMatchObject({ entries: [] });
  const answer = await post(runtime, JSON.stringify({ url: key }), { "content-type": "application/json" });
  expect(answer.status).toBe(202);
  await viewer.until(({ values }) => values[key] === 1);
  viewer.say("ping");
  await viewer.until(({ pongs }) => pongs.includes("pong"));
  viewer.say("x".repeat(100_000));
  await viewer.until(({ closed }) => closed);
});

test("server-sent events for curl: the same feed", async () => {
  const stop = new AbortController();
  const response = await fetch(new URL(`/v1/views/${VIEW}/live?key=/live/sse`, runtime.url), {
    signal: stop.signal,
  });
  expect(response.headers.get("content-type")).toContain("text/event-stream");
  expect(response.headers.get("cache-control")).toBe("no-store");
  let text = "";
  const reading = (async () => {
    for await (const chunk of response.body ?? []) text += new TextDecoder().decode(chunk);
  })().catch(() => undefined);
  await eventually(async () => text.includes("event: snapshot\n"));
  await click("/live/sse");
  await eventually(async () => text.includes("event: change\n"));
  expect(text).toBe(
    `event: snapshot\ndata: {"view":"${VIEW}","entries":[]}\n\n` +
      `event: change\ndata: {"view":"${VIEW}","entries":[{"key":"/live/sse","value":1}],"gone":[]}\n\n`,
  );
  stop.abort();
  await reading;
});

test("viewers outlive the eviction of their feed and of every shard, between any two clicks, and miss nothing", async () => {
  const viewer = watch(`/v1/views/${VIEW}/live?prefix=/evicted/`);
  await viewer.until(({ told }) => told.length > 0);
  let evicted = 0;
  for (let n = 1; n <= 6; n++) {
    if (n % 2 === 0 && (await evict("FeedObject", feedName(1, VIEW)))) evicted++;
    for (let shard = 0; shard < SHARDS; shard++) {
      if (n % 3 !== 1 && (await evict("ShardObject", shardName(1, VIEW, shard)))) evicted++;
    }
    await click("/evicted/x", `/evicted/${n}`);
    await viewer.until(({ values }) => values["/evicted/x"] === n && values[`/evicted/${n}`] === 1);
  }
  expect(evicted).toBeGreaterThan(4);
  expect(viewer.closed).toBe(false);
});

test("after a restart of everything who connects again has all of it", async () => {
  const before = watch(`/v1/views/${VIEW}/live?key=/live/restart`);
  await before.until(({ told }) => told.length > 0);
  await click("/live/restart");
  await before.until(({ values }) => values["/live/restart"] === 1);
  await runtime.restart();
  await before.until(({ closed }) => closed);
  await click("/live/restart");
  const after = watch(`/v1/views/${VIEW}/live?key=/live/restart`);
  await after.until(({ values }) => values["/live/restart"] === 2);
  await click("/live/restart");
  await after.until(({ values }) => values["/live/restart"] === 3);
});

test("the health, while something happens, and no more when nothing does", async () => {
  const viewer = watch("/v1/health/live");
  await viewer.until(({ told }) => told.length > 0);
  await click("/live/health");
  const dead = (told: Viewer["told"]) =>
    told.at(-1)?.health as { flows: { operator: string; applied: number }[] };
  const count = () => dead(viewer.told).flows.find(({ operator }) => operator === VIEW)?.applied ?? 0;
  const now = (await get(runtime, "/v1/health")).body as unknown as ReturnType<typeof dead>;
  const wanted = now.flows.find(({ operator }) => operator === VIEW)?.applied ?? -1;
  await viewer.until(() => count() === wanted);
  viewer.say("look");
  await viewer.until(({ told }) => told.length > 1);
  expect(viewer.closed).toBe(false);
});

test("what cannot be watched is answered, not streamed", async () => {
  const answers = await Promise.all(
    [
      "/v1/views/nothing/live",
      `/v1/views/${VIEW}/live?key=a&top=1`,
      `/v1/views/${VIEW}/live?from=-1h`,
      `/v1/views/${VIEW}/live?cursor=x`,
      `/v1/views/page-views-per-minute/live?total=1`,
      `/v1/views/${VIEW}/live?key=${"x".repeat(5_000)}`,
    ].map((path) => get(runtime, path)),
  );
  expect(answers.map(({ status }) => status)).toEqual([404, 400, 400, 400, 400, 400]);
  expect(answers.map(({ body }) => typeof body.detail)).toEqual(Array(6).fill("string"));
  const closed = watch(`/v1/views/nothing/live`);
  await closed.until((viewer) => viewer.closed);
  const put = await request(runtime, `/v1/views/${VIEW}/live`, { method: "PUT" });
  expect(put.status).toBe(405);
});
