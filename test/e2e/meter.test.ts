/** The meter against a count by hand, row by row, on the real runtime. */
import { describe, expect, onTestFinished, test } from "vitest";
import type { Contender } from "../../scripts/bench/contender.ts";
import { objectOf } from "../../scripts/bench/contenders/platform.ts";
import { EVENTS_PATH } from "../../scripts/bench/load/bodies.ts";
import { type Counts, differenceOf, noCounts } from "../../scripts/bench/meter/counts.ts";
import { countsOf, withMetered } from "../../scripts/bench/meter/run.ts";
import { bill } from "../../scripts/bench/meter.ts";
import type { ContenderName } from "../../scripts/bench/sources.ts";
import { configsOf, meteredSources } from "../../scripts/bench/sources.ts";
import type { Runtime } from "../../scripts/local/runtime.ts";
import { startRuntime } from "../../scripts/local/runtime.ts";
import { READERS } from "../../src/cloudflare/readers.ts";
import { shardOf } from "../../src/hash.ts";
import type { Exercise } from "../../workers/jobs/exercises/index.ts";
import { exercises } from "../../workers/jobs/exercises/index.ts";
import { temporaryFolder } from "../scripts/send/command.ts";
import { request } from "./client.ts";
import { plan as patient, WAIT_MS } from "./jobs/patient.ts";
import { plan as seconds } from "./jobs/seconds.ts";
import { eventually } from "./support.ts";

const SHARDS = 4;
/** Enough for each shard to have some. */
const PAGES = 100;
const NO_FILES = { r2ClassA: 0, r2ClassB: 0 };

describe("three requests, six events, two shards", { timeout: 60_000 }, () => {
  test("millrace", async () => {
    expect(await metered("millrace", (url) => String(shardOf(url, SHARDS)))).toEqual({
      requests: 3,
      // Each request is answered before the next is sent, so none shares a message.
      ...{ writes: 3, deliveries: 3, reads: 3, deletes: 3 },
      // The queue waits a second for more, so all come as one batch: one call a shard, and one row a call.
      batches: 1,
      objectRequests: 2,
      ...{ shardRequests: 2, feedRequests: 0 },
      objects: 2,
      rowsWritten: 2,
      // Each looks at the slot of the log that it writes.
      rowsRead: 2,
      ...NO_FILES,
    });
  });

  test("naive: a message, a call and a row for each event", async () => {
    expect(await metered("naive", objectOf)).toEqual({
      requests: 3,
      ...{ writes: 6, deliveries: 6, reads: 6, deletes: 6 },
      batches: 1,
      objectRequests: 6,
      ...{ shardRequests: 0, feedRequests: 0 },
      objects: 2,
      rowsWritten: 6,
      rowsRead: 0,
      ...NO_FILES,
    });
  });

  test("synchronous: a call for each object of a request, and a row for each event", async () => {
    expect(await metered("synchronous", objectOf)).toEqual({
      requests: 3,
      ...{ writes: 0, deliveries: 0, reads: 0, deletes: 0, batches: 0 },
      // One, one and two.
      objectRequests: 4,
      ...{ shardRequests: 0, feedRequests: 0 },
      objects: 2,
      rowsWritten: 6,
      rowsRead: 0,
      ...NO_FILES,
    });
  });
});

test("what a source with event time tells its coordinator is counted, call by call and row by row", async () => {
  const module = new URL("jobs/seconds.ts", import.meta.url).pathname;
  const workers = meteredSources(configsOf("millrace"), temporaryFolder());
  const runtime = await startRuntime({ workers, register: { module, plan: seconds } });
  onTestFinished(() => runtime.dispose());
  const counted = () => countsOf({ runtime });
  // Nothing of it is accepted, so there is nothing else to call: a hold is opened, and closed after its second.
  const refused = async (rows: number) => {
    const before = await counted();
    const { status } = await request(runtime, "/v1/sources/ticks", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"key":"a","time":"never"}',
    });
    expect(status).toBe(400);
    let since = differenceOf(await counted(), before);
    await eventually(async () => {
      since = differenceOf(await counted(), before);
      return since.objectRequests >= 2 && since.rowsWritten >= rows;
    });
    return since;
  };
  // The first one makes the table, which is two rows.
  await refused(4);
  expect(await refused(2)).toMatchObject({ requests: 1, writes: 0, objectRequests: 2, rowsWritten: 2 });
}, 60_000);

test("a run counts the same by hand, by the bench and at /metrics, where a restart loses nothing of it", async () => {
  await withMetered("millrace", { queueWait: 0 }, async (contender) => {
    const urls = Array.from({ length: 100 }, (_, n) => `/page/${n}`);
    // All shards are there, and have told what it took to make them.
    for (const round of [urls, urls]) {
      await post(contender, round);
      await contender.settled();
    }
    const before = await billedAt(contender.runtime);
    const countedBefore = await countsOf(contender);
    // Each is applied before the next is sent: it has a message, a batch and a call of its own. One is refused, which the
    // message after it tells.
    const four = async () => {
      expect((await postTo(contender, "broken")).status).toBe(400);
      for (const url of ["/page/1", "/page/2", "/page/1"]) {
        await post(contender, [url]);
        await contender.settled();
      }
    };
    await four();
    const counted = differenceOf(await countsOf(contender), countedBefore);
    const after = await billedAt(contender.runtime);
    const byHand = {
      worker_requests: 7,
      queue_operations: 9,
      object_requests: 3,
      rows_written: 3,
      rows_read: 3,
    };
    expect(minus(after, before)).toEqual(byHand);
    expect(billedBy(counted)).toEqual(byHand);

    await contender.runtime.restart();
    expect(await billedAt(contender.runtime)).toEqual(after);
    await four();
    const { rows_read: _, ...since } = minus(await billedAt(contender.runtime), after);
    // Only that it has also read what it needed to wake up.
    expect(since).toEqual({ worker_requests: 7, queue_operations: 9, object_requests: 3, rows_written: 3 });
  });
});

test("what a sink does in its bucket is counted, a put a file, and at /metrics the same", async () => {
  const { file, plan } = exercises.get("exercise-4") as Exercise;
  const module = new URL(`../../workers/jobs/exercises/${file}`, import.meta.url).pathname;
  const workers = meteredSources(configsOf("millrace"), temporaryFolder());
  const runtime = await startRuntime({ workers, register: { module, plan } });
  onTestFinished(() => runtime.dispose());
  const bucket = await runtime.miniflare.getR2Bucket("FILES", "millrace-operator");
  const files = async () => (await bucket.list()).objects.length;
  const rounds: Round[] = [];
  for (const round of [1, 2, 3]) {
    const { status } = await request(runtime, "/v1/sources/clicks", {
      method: "POST",
      headers: { "content-type": "text/plain" },
      body: "/home\n/about\n/home",
    });
    expect(status).toBe(202);
    // A file is closed five seconds after its first click; what it took rides in the commit that forgets the batch.
    await eventually(async () => (await billedAt(runtime)).r2_operations === round, 200);
    const counted = await countsOf({ runtime });
    const billed = await billedAt(runtime);
    expect([await files(), counted.r2ClassA, counted.r2ClassB]).toEqual([round, round, 0]);
    rounds.push({ counted, billed });
  }
  const [first, second, third] = rounds as [Round, Round, Round];
  // With the three shards that asked the registry who they are.
  expect(billedBy(first.counted).object_requests).toBe(7);
  expect(first.billed.object_requests).toBe(7);
  // Three files were written while an object waited.
  expect(third.counted.objectMilliseconds).toBeGreaterThan(0);
  // By hand: two shards count, a third buffers, an alarm writes; the sink commits three times, and sets an alarm twice.
  const byHand = {
    worker_requests: 2,
    queue_operations: 3,
    object_requests: 4,
    rows_written: 7,
    r2_operations: 1,
  };
  expect(minus(third.billed, second.billed)).toMatchObject(byHand);
  expect(billedBy(differenceOf(third.counted, second.counted))).toMatchObject(byHand);
}, 60_000);

test("what watermarks cost is counted by the coordinator as it is by the bench", async () => {
  const module = new URL("jobs/seconds.ts", import.meta.url).pathname;
  const workers = meteredSources(configsOf("millrace"), temporaryFolder());
  const runtime = await startRuntime({ workers, register: { module, plan: seconds } });
  onTestFinished(() => runtime.dispose());
  const refused = async () => {
    const { status } = await request(runtime, "/v1/sources/ticks", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"key":"a","time":"never"}',
    });
    expect(status).toBe(400);
  };
  // A hold is opened and closed, so two calls, which change the state.
  for (const calls of [2, 4]) {
    await refused();
    await eventually(async () => (await billedAt(runtime)).object_requests === calls);
    expect((await countsOf({ runtime })).objectRequests).toBe(calls);
  }
}, 60_000);

test("the time that an object waits for its sink is counted, that between two batches is not", async () => {
  const module = new URL("jobs/patient.ts", import.meta.url).pathname;
  const runtime = await startRuntime({ register: { module, plan: patient } });
  onTestFinished(() => runtime.dispose());
  const started = Date.now();
  for (const [n, word] of ["one", "two", "three"].entries()) {
    const { status } = await request(runtime, "/v1/sources/words", {
      method: "POST",
      headers: { "content-type": "text/plain" },
      body: word,
    });
    expect(status).toBe(202);
    await eventually(async () => (await delivered(runtime)) === n + 1);
    await new Promise((resolve) => setTimeout(resolve, 3 * WAIT_MS));
  }
  // How long the third batch took is stored with the next commit, which never comes.
  const { object_milliseconds: awake = 0 } = await metrics(runtime);
  expect(awake).toBeGreaterThanOrEqual(2 * WAIT_MS);
  expect(awake).toBeLessThan(Date.now() - started - 2 * WAIT_MS);
}, 60_000);

test("requests that only read are counted with the next commit, each once", async () => {
  const { get, commitAll, billed } = await deployment();
  await commitAll();
  // Some that ask shards, and two that ask none: those are told by the next that does.
  for (const path of ["health", "views/page-views?top=3", "jobs", "nothing", "health", "tickets/none"])
    await get(`/v1/${path}`);
  const told = await get("/v1/views/page-views?total=1");
  const asked = await commitAll();
  const { worker_requests = 0, read_requests } = await billed(READERS);
  expect(worker_requests).toBeGreaterThanOrEqual(told);
  expect(worker_requests).toBeLessThanOrEqual(told + asked);
  // Each look at the health has asked for the buried messages.
  expect(read_requests).toBe(2);
}, 60_000);

test("what a live view takes is counted as its operator's: its socket, and what shards tell it", async () => {
  const { runtime, commitAll, billed } = await deployment();
  await commitAll();
  const unwatched = await billed("page-views");
  const viewer = new WebSocket(new URL("/v1/views/page-views/live?total=1", runtime.url));
  onTestFinished(() => viewer.close());
  const heard: { total?: { total: number } }[] = [];
  viewer.addEventListener("message", ({ data }) => void heard.push(JSON.parse(String(data))));
  await eventually(async () => heard.length === 1);
  for (const round of [1, 2, 3]) {
    await commitAll();
    await eventually(async () => heard.at(-1)?.total?.total === (1 + round) * PAGES);
  }
  // What the feed has used until now.
  await commitAll();
  const watched = minus(await billed("page-views"), unwatched);
  // Four batches, each for all shards, and a socket.
  const notices = (watched.object_requests ?? 0) - 4 * SHARDS - 1;
  expect(notices).toBeGreaterThanOrEqual(3);
  expect(notices).toBeLessThanOrEqual(4 * SHARDS);
}, 60_000);

test("a bill is the counts times the list prices", () => {
  const counts: Counts = {
    ...noCounts(),
    ...{ requests: 3, batches: 1, writes: 3, reads: 3, deletes: 3 },
    ...{ objectRequests: 2, objects: 2, objectMilliseconds: 20_000, rowsWritten: 2, rowsRead: 1_000 },
    ...{ r2ClassA: 2, r2ClassB: 10 },
  };
  const { lines, counted, withEstimates } = bill(counts, 0.1, 6);
  // Dollars a million events: of six events, (3 + 1) requests at 0.30 a million are 0.20, and so on.
  const wanted = [0.2, 0.6, 0.05, 1 / 3, 1 / 6, 1.5, 0.6, 1 / 3, (2 * 10 * 0.128 * 12.5) / 6];
  for (const [n, { dollars }] of lines.entries()) expect(dollars).toBeCloseTo(wanted[n] as number, 9);
  expect(counted).toBeCloseTo(0.2 + 0.6 + 0.05 + 1 / 3 + 1 / 6 + 1.5 + 0.6, 9);
  expect(lines.filter(({ estimate }) => estimate).map(({ what }) => what)).toEqual([
    "CPU, ms",
    "object duration, GB-s",
  ]);
  expect(withEstimates).toBeGreaterThan(counted);
});

/** A deployment of which every request that reads is counted here. */
async function deployment() {
  const runtime = await startRuntime({});
  onTestFinished(() => runtime.dispose());
  let reads = 0;
  let sent = 0;
  /** @returns how many reads there have been. */
  const get = async (path: string): Promise<number> => {
    await request(runtime, path);
    return ++reads;
  };
  /** Has every shard commit. @returns how many reads it took to see that. */
  const commitAll = async (): Promise<number> => {
    const body = JSON.stringify(Array.from({ length: PAGES }, (_, n) => ({ url: `/page/${n}` })));
    const headers = { "content-type": "application/json" };
    expect((await request(runtime, EVENTS_PATH, { method: "POST", headers, body })).status).toBe(202);
    sent += PAGES;
    const before = reads;
    await eventually(async () => {
      reads++;
      const { text } = await request(runtime, "/v1/views/page-views?total=1");
      return (JSON.parse(text) as { total: number }).total === sent;
    });
    return reads - before;
  };
  const billed = (part: string): Promise<Billed> => {
    reads++;
    return billedFor(runtime, (one) => one === part);
  };
  return { runtime, get, commitAll, billed };
}

/** What the three requests count, on objects that exist already. @param shard of a URL, by name. */
async function metered(
  name: ContenderName,
  shard: (url: string) => string,
): Promise<Omit<Counts, "objectMilliseconds">> {
  return withMetered(name, { queueWait: 1 }, async (contender) => {
    const urls = Array.from({ length: 100 }, (_, n) => `/page/${n}`);
    await post(contender, urls);
    await contender.settled();

    const [first = "", ...rest] = urls;
    const same = rest.find((url) => shard(url) === shard(first)) ?? "";
    const other = rest.find((url) => shard(url) !== shard(first)) ?? "";
    const before = await countsOf(contender);
    const started = Date.now();
    for (const request of [[first, same], [other], [first, first, other]]) await post(contender, request);
    await contender.settled();
    const after = await countsOf(contender);
    const { objectMilliseconds, ...counted } = differenceOf(after, before);
    // Two objects, each at most all the time.
    expect(objectMilliseconds).toBeLessThanOrEqual(2 * (Date.now() - started + 1));
    return { ...counted, objects: after.objects };
  });
}

type Billed = Readonly<Record<string, number>>;
interface Round {
  readonly counted: Counts;
  readonly billed: Billed;
}

/** What events have cost, but for the time that it took, and for reading. */
async function billedAt(runtime: Runtime): Promise<Billed> {
  const { read_requests: _, object_milliseconds: __, ...billed } = await metrics(runtime);
  return billed;
}

/** What is billed, as `/metrics` says, over all sources, operators and jobs. */
async function metrics(runtime: Runtime): Promise<Billed> {
  return billedFor(runtime, (part) => part !== READERS);
}

async function billedFor(runtime: Runtime, isMeant: (part: string) => boolean): Promise<Billed> {
  const { status, text } = await request(runtime, "/metrics");
  expect(status).toBe(200);
  const billed: Record<string, number> = {};
  const samples = text.matchAll(/^millrace_billed_(\w+)_total\{part="([^"]*)".*\} (\d+)$/gm);
  for (const [, what = "", part = "", count] of samples) {
    if (isMeant(part)) billed[what] = (billed[what] ?? 0) + Number(count);
  }
  return billed;
}

/** Events that the sink of `jobs/patient.ts` has written. */
async function delivered(runtime: Runtime): Promise<number> {
  const { text } = await request(runtime, "/metrics");
  return Number(/^millrace_sink_delivered_events_total\{.*\} (\d+)$/m.exec(text)?.[1]);
}

/** The same of what the bench has counted. */
function billedBy(counts: Counts): Billed {
  return {
    worker_requests: counts.requests + counts.batches,
    queue_operations: counts.writes + counts.reads + counts.deletes,
    object_requests: counts.objectRequests,
    rows_written: counts.rowsWritten,
    rows_read: counts.rowsRead,
    ...(counts.r2ClassA + counts.r2ClassB > 0 ? { r2_operations: counts.r2ClassA + counts.r2ClassB } : {}),
  };
}

function minus(after: Billed, before: Billed): Billed {
  return Object.fromEntries(
    Object.entries(after).map(([what, count]) => [what, count - (before[what] ?? 0)]),
  );
}

async function post(contender: Contender, urls: readonly string[]): Promise<void> {
  const { status } = await postTo(contender, JSON.stringify(urls.map((url) => ({ url }))));
  expect(status).toBe(202);
  contender.accepted += urls.length;
}

async function postTo({ runtime }: Contender, body: string): Promise<Response> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(new URL(EVENTS_PATH, runtime.directUrl), { method: "POST", headers, body });
  await response.arrayBuffer();
  return response;
}
