/** The article's exercises in real workerd: each as it is shipped, but for the five seconds of the last one. */
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { expect, onTestFinished, test } from "vitest";
import type { Runtime } from "../../scripts/local/runtime.ts";
import { startRuntime } from "../../scripts/local/runtime.ts";
import { shardName } from "../../src/cloudflare/rpc.ts";
import type { Plan } from "../../src/index.ts";
import { HIGH_WATER } from "../../workers/jobs/exercises/6-slow-operator.ts";
import { exercises } from "../../workers/jobs/exercises/index.ts";
import type { Answer } from "./client.ts";
import { applied, countOf, get, post, total } from "./client.ts";
import { plan as slow } from "./jobs/slow.ts";
import { eventually } from "./support.ts";

async function start(module: string, plan: Plan): Promise<Runtime> {
  const runtime = await startRuntime({
    register: { module: fileURLToPath(new URL(module, import.meta.url)), plan },
  });
  onTestFinished(() => runtime.dispose());
  return runtime;
}

async function exercise(name: string): Promise<{ runtime: Runtime; plan: Plan }> {
  const found = exercises.get(name);
  if (found === undefined) throw new RangeError(`there is no exercise ${name}`);
  const { file, plan } = found;
  return { runtime: await start(`../../workers/jobs/exercises/${file}`, plan), plan };
}

const lines = (runtime: Runtime, ...urls: string[]) =>
  post(runtime, urls.join("\n"), { "content-type": "text/plain" });

async function entries(runtime: Runtime, view: string): Promise<Record<string, number>> {
  const { body } = await get(runtime, `/v1/views/${view}?limit=1000`);
  return Object.fromEntries((body.entries ?? []).map(({ key, value }) => [key, value]));
}

test("1 counts only products", async () => {
  const { runtime } = await exercise("exercise-1");
  await applied(runtime, [await lines(runtime, "/home", "/products/lamp", "/products/lamp", "/products/")]);
  expect(await entries(runtime, "product-views")).toEqual({ "/products/lamp": 2, "/products/": 1 });
});

test("2 counts each minute for itself", async () => {
  const { runtime } = await exercise("exercise-2");
  const clicks = [0, 59_999, 60_000].map((ms) => ({ url: "/home", time: Date.UTC(2026, 0, 31, 12) + ms }));
  const json = { "content-type": "application/json" };
  await applied(runtime, [await post(runtime, JSON.stringify(clicks), json)]);
  expect(await entries(runtime, "views-per-minute")).toEqual({
    "2026-01-31T12:00 /home": 2,
    "2026-01-31T12:01 /home": 1,
  });
});

test("3 counts both sources, and the second one goes on over a restart without losing or repeating a click", async () => {
  const { runtime } = await exercise("exercise-3");
  await applied(runtime, [await lines(runtime, "/typed", "/typed")]);
  const robots = async () => ((await total(runtime)).total ?? 0) - 2;
  await eventually(async () => (await robots()) >= 8);
  await runtime.restart();
  const before = await robots();
  await eventually(async () => (await robots()) >= before + 8);
  const { "/typed": typed, ...made } = await entries(runtime, "page-views");
  expect(typed).toBe(2);
  // It makes the four pages in turn: a lost or repeated click would show as a gap between their counts.
  const counts = ["/home", "/about", "/products/lamp", "/products/chair"].map((url) => made[url] ?? 0);
  expect(Object.keys(made)).toHaveLength(4);
  expect(counts).toEqual([...counts].sort((a, b) => b - a));
  expect((counts[0] ?? 0) - (counts[3] ?? 0)).toBeLessThanOrEqual(1);
});

test("4 has each click in its files once, and counted once, when objects are evicted all the time", async () => {
  const { runtime, plan } = await exercise("exercise-4");
  const shards = [...plan.operators.values()].flatMap(({ name, shards }) =>
    Array.from({ length: shards }, (_, shard) => shardName(plan.generation, name, shard)),
  );
  let evicted = 0;
  const evict = async () => {
    for (const name of shards) {
      try {
        await runtime.miniflare.unsafeEvictDurableObject("millrace-operator", "ShardObject", { name });
        evicted++;
      } catch (error) {
        // One that has nothing to do is not there to be evicted.
        if (!/not currently running/.test(String(error))) throw error;
      }
    }
  };
  const urls = Array.from({ length: 600 }, (_, n) => `/page-${n % 13}?${n}`);
  const answers: Answer[] = [];
  for (let n = 0; n < urls.length; n += 10) {
    answers.push(await lines(runtime, ...urls.slice(n, n + 10)));
    if (n % 50 === 0) await evict();
    // What is in memory only is gone here; the queue is in memory too, so it is let to drain first.
    if (n === 300) {
      await applied(runtime, answers);
      await runtime.restart();
    }
  }
  await applied(runtime, answers);
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
  const bucket = runtime.bucket("FILES");
  const written = async () => {
    const events: { id: string; data: { url: string } }[] = [];
    for (const { key } of await bucket.list()) {
      const text = gunzipSync((await bucket.read(key)) ?? "").toString();
      events.push(
        ...text
          .trimEnd()
          .split("\n")
          .map((line) => JSON.parse(line)),
      );
    }
    return events;
  };
  await eventually(async () => {
    // The timer of a batch must outlast its object, too.
    await evict();
    return (await written()).length >= urls.length;
  }, 500);
  const events = await written();
  expect(events.map(({ data }) => data.url).sort()).toEqual([...urls].sort());
  expect(new Set(events.map(({ id }) => id)).size).toBe(urls.length);
  expect((await bucket.list()).length).toBeGreaterThan(0);
  expect(evicted).toBeGreaterThan(20);
  expect(await entries(runtime, "page-views")).toEqual(Object.fromEntries(urls.map((url) => [url, 1])));
});

test("5 goes on counting after a restart", async () => {
  const { runtime } = await exercise("exercise-5");
  await applied(runtime, [await lines(runtime, "/home", "/home", "/about")]);
  for (const expected of [3, 4, 5]) {
    await runtime.restart();
    await applied(runtime, [await lines(runtime, "/home")]);
    expect(await countOf(runtime, "/home")).toBe(expected);
  }
  expect(await total(runtime)).toEqual({ keys: 2, total: 6 });
});

test("6 lets its queue grow to its mark, then refuses, then recovers, and counts all that it took", {
  timeout: 240_000,
}, async () => {
  const runtime = await start("jobs/slow.ts", slow);
  const accepted: Answer[] = [];
  const refused: Answer[] = [];
  const times: number[] = [];
  const send = async () => {
    const answer = await lines(runtime, `/page-${accepted.length % 3}`);
    if (answer.status === 202) {
      accepted.push(answer);
      times.push(Date.now());
    } else refused.push(answer);
    return answer.status;
  };

  await eventually(async () => (await send()) === 429, 0);
  const { status, headers, text } = refused[0] as Answer;
  expect(status).toBe(429);
  expect(headers.get("retry-after")).toMatch(/^[1-9]\d*$/);
  expect(JSON.parse(text)).toMatchObject({ queue: "millrace-slow", stage: "slow", limit: HIGH_WATER });
  const backlog = JSON.parse(text).backlog as number;
  expect(backlog).toBeGreaterThanOrEqual(HIGH_WATER);
  const full = await healthOf(runtime);
  expect(full.queue).toMatchObject({ kind: "stage", name: "slow", highWater: HIGH_WATER });
  expect(full.queue.backlog.messages).toBeGreaterThan(0);

  // Whoever goes on sending is refused again and again, and nothing piles up anywhere.
  const most = { messages: 0, bytes: 0, refusing: false };
  for (let n = 0; n < 1_000; n++) {
    await send();
    if (n % 50 > 0) continue;
    const { refusing, queue } = await healthOf(runtime);
    most.messages = Math.max(most.messages, queue.backlog.messages);
    most.bytes = Math.max(most.bytes, queue.backlog.bytes);
    most.refusing ||= refusing.includes("clicks");
  }
  expect(most.refusing).toBe(true);
  // Ingest asks for a backlog once a second: what comes until then is taken, and is all that comes on top of the mark.
  expect(most.messages).toBeLessThanOrEqual(HIGH_WATER + mostWithin(3_000, times));
  expect(most.bytes).toBeLessThan(1_000 * most.messages);

  await eventually(async () => (await send()) === 202, 200);
  await eventually(async () => (await total(runtime)).total === accepted.length);
  await applied(runtime, accepted);
  const third = (n: number) => accepted.filter((_, i) => i % 3 === n).length;
  expect(await entries(runtime, "page-views")).toEqual({
    "/page-0": third(0),
    "/page-1": third(1),
    "/page-2": third(2),
  });
  expect((await healthOf(runtime)).queue.backlog.messages).toBe(0);
  expect(await runtime.drain()).toEqual({ requests: 0, messages: 0, outputs: 0 });
});

test("6 is waited for by a stop, to its last click", async () => {
  const runtime = await start("jobs/slow.ts", slow);
  for (let n = 0; n < 15; n++) expect((await lines(runtime, `/page-${n % 3}`)).status).toBe(202);
  const seen: number[] = [];
  await runtime.drain({ onProgress: ({ messages }) => void seen.push(messages) });
  expect(Math.max(...seen)).toBeGreaterThan(0);
  expect(await entries(runtime, "page-views")).toEqual({ "/page-0": 5, "/page-1": 5, "/page-2": 5 });
});

/** The most of these times, which are in order, that lie within a span of so many milliseconds. */
function mostWithin(span: number, times: readonly number[]): number {
  return Math.max(
    ...times.map((first) => times.filter((time) => time >= first && time < first + span).length),
  );
}

interface Health {
  readonly refusing: readonly string[];
  readonly queue: { readonly backlog: { readonly messages: number; readonly bytes: number } };
}

/** Of the slow stage. */
async function healthOf(runtime: Runtime): Promise<Health> {
  const { text } = await get(runtime, "/v1/health");
  const { refusing, queues } = JSON.parse(text) as Health & {
    queues: (Health["queue"] & { queue: string })[];
  };
  const queue = queues.find((one) => one.queue === "millrace-slow");
  if (queue === undefined) throw new Error(`no queue millrace-slow in ${text}`);
  return { refusing, queue };
}
