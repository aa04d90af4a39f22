/**
 * Event time over the real local queue: windows close in quiet times, a stall makes nothing late that was on time, a killed
 * server goes on, and a log is replayed by its own clock.
 */
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Runtime } from "../../scripts/local/runtime.ts";
import { startRuntime } from "../../scripts/local/runtime.ts";
import { seeded, start, temporaryFolder } from "../scripts/send/command.ts";
import type { Answer } from "./client.ts";
import { get, request } from "./client.ts";
import type { Tick } from "./jobs/seconds.ts";
import { plan } from "./jobs/seconds.ts";
import { eventually } from "./support.ts";

const SECOND = 1_000;

interface WindowEntry {
  readonly key: string;
  readonly window: { readonly start: string; readonly end: string };
  readonly value: number;
  readonly final: boolean;
}

let open = true;
const gate = createServer((_request, response) => response.writeHead(open ? 200 : 503).end());
let runtime: Runtime;

beforeAll(async () => {
  gate.listen(0, "127.0.0.1");
  await once(gate, "listening");
  const module = new URL("jobs/seconds.ts", import.meta.url).pathname;
  runtime = await startRuntime({ register: { module, plan } });
}, 60_000);

afterAll(async () => {
  await runtime.dispose();
  gate.close();
});

test("a window is final when its bound has passed, though nothing more comes; what is too old at the door is late", async () => {
  const now = Date.now();
  const ticks = [now, now - 500, now - 900, now - 20_000].map((time) => ({ key: "quiet", time }));
  expect((await post("ticks", ticks)).status).toBe(202);
  await eventually(async () => (await windowsOf("per-second", "quiet")).every(({ final }) => final), 200);
  expect(countOf(await windowsOf("per-second", "quiet"))).toEqual(recount(ticks.slice(0, 3)));
  expect(await countIn("late", "quiet")).toBe(1);
  const { watermarks } = (await get(runtime, "/v1/health")).body as unknown as {
    watermarks: { sources: { source: string; watermark: string; lagMs: number }[] }[];
  };
  const source = watermarks[0]?.sources.find((one) => one.source === "ticks");
  expect(Date.parse(source?.watermark ?? "")).toBeGreaterThan(now);
  expect(source?.lagMs).toBeGreaterThanOrEqual(SECOND);
}, 60_000);

test("a stall of several times the bound makes nothing late", async () => {
  const sent: Tick[] = [];
  const { port } = gate.address() as AddressInfo;
  const send = async () => {
    const now = Date.now();
    const some = Array.from({ length: 10 }, (_, n): Tick => {
      return { key: `g${n % 3}`, time: now - n * 100, gate: `http://127.0.0.1:${port}/` };
    });
    sent.push(...some);
    expect((await post("ticks", some)).status).toBe(202);
  };
  open = false;
  for (let n = 0; n < 20; n++) {
    await send();
    await sleep(250);
  }
  // Nothing that waits for the gate has been counted, and no window has been closed over it.
  expect(await windowsOf("behind-the-gate")).toEqual([]);
  expect((await windowsOf("per-second", "g0")).some(({ final }) => final)).toBe(false);
  open = true;
  await send();
  const total = () => windowsOf("behind-the-gate").then((all) => all.reduce((n, { value }) => n + value, 0));
  await eventually(async () => (await total()) === sent.length, 500, 120_000);
  for (const view of ["behind-the-gate", "per-second"]) {
    await eventually(async () => (await windowsOf(view, "g0")).every(({ final }) => final), 500, 30_000);
    expect(countOf((await windowsOf(view)).filter(({ key }) => key.startsWith("g")))).toEqual(recount(sent));
  }
  expect(await countIn("late-behind-the-gate", "g0")).toBeUndefined();
  expect(await countIn("late", "g0")).toBeUndefined();
}, 240_000);

test("windows that were open when the server was killed are final after it, and right", async () => {
  const ticks = Array.from({ length: 50 }, (_, n): Tick => ({ key: `k${n % 5}`, time: Date.now() - n * 10 }));
  expect((await post("ticks", ticks)).status).toBe(202);
  const mine = async () => (await windowsOf("per-second")).filter(({ key }) => key.startsWith("k"));
  await eventually(async () => (await mine()).reduce((n, { value }) => n + value, 0) === ticks.length, 50);
  await runtime.restart();
  // What the isolate that was killed may have sent besides is waited for.
  await eventually(async () => (await mine()).every(({ final }) => final), 500, 90_000);
  expect(countOf(await mine())).toEqual(recount(ticks));
}, 180_000);

test("a log is replayed by its own clock, to its end; one that comes too late is refused", async () => {
  const start = Date.UTC(2015, 4, 17);
  // 35 s behind what came before it: late behind a bound of 10 s.
  const times = [0, 5_000, 12_000, 8_000, 40_000, 5_000, 41_000].map((ms) => start + ms);
  for (const [sequence, time] of times.entries()) {
    const answer = await replay("old", sequence, [{ key: "a", time }], sequence === times.length - 1);
    expect(answer.status).toBe(202);
  }
  const all = () => windowsOf("log-windows");
  await eventually(
    async () => (await all()).length === 3 && (await all()).every(({ final }) => final),
    200,
    30_000,
  );
  expect(countOf(await windowsOf("log-windows"))).toEqual({
    [`${start} a`]: 3,
    [`${start + 10_000} a`]: 1,
    [`${start + 40_000} a`]: 2,
  });
  expect(await countIn("late-log", "a")).toBe(1);

  // The same request again is the same answer, and counts once.
  expect((await replay("old", 3, [{ key: "a", time: start + 8_000 }], false)).status).toBe(202);
  const refused = await replay("older", 0, [{ key: "a", time: start }], false);
  expect(refused.status).toBe(409);
  expect(refused.body.detail).toContain("all of it would be late");
  const gap = await replay("gap", 3, [{ key: "a", time: Date.now() }], false);
  expect(gap.status).toBe(409);
  expect(gap.body.detail).toContain("request 0 of this replay has not come");
  expect((await post("log", [{ key: "a" }], { "millrace-replay": "1" })).status).toBe(400);
  expect(countOf(await windowsOf("log-windows"))[`${start} a`]).toBe(3);
}, 120_000);

test("the send command replays a file in order, over a server that is killed meanwhile, as a recount would have it", async () => {
  const batch = 10;
  const random = seeded(5);
  const begin = Date.UTC(2015, 4, 17);
  const ticks = Array.from({ length: 4_000 }, (_, n): Tick & { time: number } => {
    // Some of them further behind than the bound, by which the windows that they are for are closed.
    const behind = random() < 0.02 ? 60_000 : Math.floor(random() * 9_000);
    return { key: `p${Math.floor(random() * 20)}`, time: Math.max(begin, begin + n * 250 - behind) };
  });
  const folder = temporaryFolder();
  writeFileSync(path.join(folder, "log.ndjson"), ticks.map((tick) => JSON.stringify(tick)).join("\n"));
  const args = ["log.ndjson", "--url", runtime.url.href, "--source", "long-log", "--replay"];
  const { outcome } = start(folder, [...args, "--batch", String(batch), "--resend-after", "1"]);
  const sum = async () =>
    (await windowsOf("long-log-windows")).reduce((events, { value }) => events + value, 0);
  await eventually(async () => (await sum()) > ticks.length / 10, 50);
  await runtime.restart();
  expect(await outcome).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("4,000 events applied"),
    stderr: expect.stringContaining("trying again"),
  });

  const counts: Record<string, number> = {};
  let late = 0;
  let front = Number.NEGATIVE_INFINITY;
  for (let n = 0; n < ticks.length; n += batch) {
    const request = ticks.slice(n, n + batch);
    for (const { key, time } of request) {
      const start = Math.floor(time / 10_000) * 10_000;
      if (start + 10_000 - 1 <= front - 10_000 - 1) late++;
      else counts[`${start} ${key}`] = (counts[`${start} ${key}`] ?? 0) + 1;
    }
    front = Math.max(front, ...request.map(({ time }) => time));
  }
  expect(late).toBeGreaterThan(10);
  const all = () => windowsOf("long-log-windows");
  await eventually(async () => (await all()).every(({ final }) => final), 500, 90_000);
  expect(countOf(await all())).toEqual(counts);
  const { entries = [] } = (await get(runtime, "/v1/views/late-long-log?prefix=&limit=100")).body;
  expect(entries.reduce((events, { value }) => events + value, 0)).toBe(late);
}, 240_000);

function post(source: string, ticks: readonly Tick[], headers: Record<string, string> = {}): Promise<Answer> {
  return request(runtime, `/v1/sources/${source}`, {
    method: "POST",
    body: JSON.stringify(ticks),
    headers: { "content-type": "application/json", ...headers },
  });
}

function replay(producer: string, sequence: number, ticks: readonly Tick[], end: boolean): Promise<Answer> {
  return post("log", ticks, {
    "millrace-producer": producer,
    "millrace-sequence": String(sequence),
    "millrace-replay": "1",
    ...(end ? { "millrace-end": "1" } : {}),
  });
}

async function windowsOf(view: string, key?: string): Promise<WindowEntry[]> {
  const entries: WindowEntry[] = [];
  const search = key === undefined ? "limit=1000" : `limit=1000&key=${key}`;
  for (let cursor: string | undefined = ""; cursor !== undefined; ) {
    const after: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const { body } = await get(runtime, `/v1/views/${view}?${search}${after}`);
    entries.push(...((body.entries ?? []) as unknown as WindowEntry[]));
    cursor = body.next;
  }
  return entries;
}

async function countIn(view: string, key: string): Promise<unknown> {
  return (await get(runtime, `/v1/views/${view}?key=${key}`)).body.value;
}

/** By `{start} {key}`. */
function countOf(windows: readonly WindowEntry[]): Record<string, number> {
  return Object.fromEntries(
    windows.map(({ key, window, value }) => [`${Date.parse(window.start)} ${key}`, value]),
  );
}

function recount(ticks: readonly Tick[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { key, time = 0 } of ticks) {
    const id = `${Math.floor(time / SECOND) * SECOND} ${key}`;
    counts[id] = (counts[id] ?? 0) + 1;
  }
  return counts;
}
