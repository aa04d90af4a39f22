/** Views of windows over HTTP, against a plain recount: ranges of time, pages, tops, one key; and every way to ask wrongly. */

import type * as v from "valibot";
import { beforeAll, describe, expect, test } from "vitest";
import { healthSchema, viewsSchema, windowsSchema } from "../../src/cloudflare/query/schemas.ts";
import { shardOf } from "../../src/hash.ts";
import type { Plan } from "../../src/index.ts";
import { globalWindow, Job, planJobs, session, sum, tumbling } from "../../src/index.ts";
import type { Item } from "./deployment.ts";
import { Deployment, ItemReader } from "./deployment.ts";

const MINUTE = 60_000;
const SHARDS = 4;
const KEYS = ["", "a", "a\0", "ab", "b", "c", "😀", "\uffff", "w0"];
/** The deployment's clock. */
const NOW = Date.UTC(2026, 0, 31, 12);

function windowPlan(): Plan {
  const job = new Job("shop");
  const keyed = job
    .addSource(new ItemReader("clicks", { outOfOrderness: "10 minutes" }))
    .keyBy(({ key }) => key);
  const amount = () => sum<Item>(({ n = 1 }) => n);
  keyed
    .window(tumbling("1 minute"), { lateness: "1 minute" })
    .aggregate("minutes", amount(), { shards: SHARDS });
  keyed.window(session("1 minute")).aggregate("visits", amount(), { shards: SHARDS });
  keyed.window(globalWindow()).aggregate("ever", amount(), { shards: SHARDS });
  keyed
    .window(tumbling("1 hour", { time: "processing" }))
    .aggregate("arrivals", amount(), { shards: SHARDS });
  keyed.aggregate("amounts", amount(), { shards: 1 });
  return planJobs([job], { generation: 7 });
}

/** Each key in some of eight minutes, with many ties. */
const items: Item[] = KEYS.flatMap((key, k) =>
  Array.from({ length: 8 }, (_, m) => ({
    key,
    n: ((k * 5 + m) % 4) + 1,
    time: NOW - 8 * MINUTE + m * MINUTE + k,
  })),
).filter((_, n) => n % 5 !== 0);

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
const iso = (time: number) => new Date(time).toISOString();
const q = encodeURIComponent;

type Entry = v.InferOutput<typeof windowsSchema>["entries"][number];

const recount = items
  .map(({ key, n, time = 0 }) => {
    const start = Math.floor(time / MINUTE) * MINUTE;
    return { key, start, value: n as number };
  })
  .sort((a, b) => a.start - b.start || compare(a.key, b.key));

function entry({ key, start, value }: (typeof recount)[number]): Omit<Entry, "final"> {
  return { key, window: { start: iso(start), end: iso(start + MINUTE) }, value };
}

const plain = (entries: readonly Entry[]) => entries.map(({ final: _, ...rest }) => rest);

async function filled(): Promise<Deployment> {
  const deployment = new Deployment(windowPlan());
  const middle = Math.floor(items.length / 2);
  await deployment.send("clicks", items.slice(0, middle));
  await deployment.apply("clicks");
  // Half of it lies in pages, the rest in the log.
  for (const view of ["minutes", "visits"]) {
    for (const shard of deployment.shards.shardsOf(view)) shard.checkpoint();
  }
  await deployment.send("clicks", items.slice(middle));
  await deployment.apply("clicks");
  return deployment;
}

describe("a view of windows", () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await filled();
  });

  const read = (search: string, view = "minutes") =>
    deployment.get(`/v1/views/${view}?${search}`, windowsSchema);

  /** All pages. */
  async function pages(search: string): Promise<Entry[][]> {
    const found: Entry[][] = [];
    for (let cursor = ""; ; ) {
      const { entries, next } = await read(`${search}${cursor}`);
      found.push(entries);
      if (next === undefined) return found;
      if (found.length > 1_000) throw new Error("the pages never end");
      cursor = `&cursor=${q(next)}`;
    }
  }

  test("holds all that is kept, in the order of time and then of keys", async () => {
    const { view, entries, next } = await read("limit=1000");
    expect({ view, next }).toEqual({ view: "minutes", next: undefined });
    expect(plain(entries)).toEqual(recount.map(entry));
  });

  test.each([1, 2, 3, 7, 50])(
    "pages of %i hold each entry once, and all are full but the last",
    async (limit) => {
      const all = await pages(`limit=${limit}`);
      expect(plain(all.flat())).toEqual(recount.map(entry));
      for (const page of all.slice(0, -1)) expect(page).toHaveLength(limit);
    },
  );

  test.each([
    ["epoch milliseconds", String(NOW - 5 * MINUTE), String(NOW - 3 * MINUTE)],
    ["ISO 8601", iso(NOW - 5 * MINUTE), iso(NOW - 3 * MINUTE)],
    ["spans from now", "-5m", "-3 minutes"],
  ])("by time, as %s", async (_, from, to) => {
    const wanted = recount.filter(
      ({ start }) => start + MINUTE > NOW - 5 * MINUTE && start < NOW - 3 * MINUTE,
    );
    expect(wanted.length).toBeGreaterThan(0);
    expect(plain((await read(`from=${q(from)}&to=${q(to)}`)).entries)).toEqual(wanted.map(entry));
  });

  test("one key is asked of its own shard only, in every range", async () => {
    for (const key of KEYS) {
      deployment.asked.length = 0;
      const { entries } = await read(`key=${q(key)}&from=-6m`);
      expect(deployment.asked).toEqual([`minutes/${shardOf(key, SHARDS)}`]);
      const wanted = recount.filter((one) => one.key === key && one.start + MINUTE > NOW - 6 * MINUTE);
      expect(plain(entries)).toEqual(wanted.map(entry));
      expect(plain((await pages(`key=${q(key)}&from=-6m&limit=1`)).flat())).toEqual(wanted.map(entry));
    }
  });

  test("a key, or a range, without windows is an empty list", async () => {
    for (const search of ["key=nobody", "from=%2B1h", "to=-1h", "prefix=zzz", "key=a&to=0"]) {
      expect(await read(search)).toEqual({ view: "minutes", entries: [] });
    }
  });

  test.each(["a", "", "😀", "w"])("the keys that start with %j, page by page", async (prefix) => {
    const wanted = recount.filter(({ key }) => key.startsWith(prefix));
    for (const limit of [1, 3, 100]) {
      const all = await pages(`prefix=${q(prefix)}&limit=${limit}`);
      expect(plain(all.flat())).toEqual(wanted.map(entry));
    }
  });

  test.each([
    [1, 1],
    [2, 1],
    [2, 3],
    [3, 100],
    [100, 2],
  ])("the top %i of each window, %i windows a page", async (top, limit) => {
    const starts = [...new Set(recount.map(({ start }) => start))];
    const wanted = starts.flatMap((start) =>
      recount
        .filter((one) => one.start === start)
        .sort((a, b) => b.value - a.value || compare(a.key, b.key))
        .slice(0, top),
    );
    const all = await pages(`top=${top}&limit=${limit}`);
    expect(plain(all.flat())).toEqual(wanted.map(entry));
    expect(all).toHaveLength(Math.ceil(starts.length / limit));
  });

  test("sessions, and the window of all times", async () => {
    const { entries } = await read("key=c&limit=1000", "visits");
    const total = items.filter(({ key }) => key === "c").reduce((all, { n = 1 }) => all + n, 0);
    expect(entries.reduce((all, { value }) => all + (value as number), 0)).toBe(total);
    const ever = await read("key=c", "ever");
    expect(ever.entries).toEqual([
      {
        key: "c",
        window: { start: "1970-01-01T00:00:00.000Z", end: "+275760-09-13T00:00:00.000Z" },
        value: total,
        final: false,
      },
    ]);
    expect((await read("top=1", "ever")).entries).toHaveLength(1);
  });

  test("the list of views says which are windowed, and how", async () => {
    const { views } = await deployment.get("/v1/views", viewsSchema);
    const byName = new Map(views.map((view) => [view.view, view]));
    expect(byName.get("minutes")).toMatchObject({
      kind: "windowed",
      window: { windows: expect.stringContaining("60000"), time: "event", latenessMs: MINUTE },
      links: { top: "/v1/views/minutes?top=10" },
    });
    expect(byName.get("minutes")?.links).not.toHaveProperty("total");
    expect(byName.get("arrivals")?.window?.time).toBe("processing");
    expect(byName.get("amounts")).toMatchObject({ kind: "keyed" });
    expect(byName.get("amounts")).not.toHaveProperty("window");
  });

  test.each([
    ["total=1", "total: the view minutes has a value for each window"],
    ["from=yesterday", 'from: "yesterday" is no time'],
    ["to=2026-01-01", 'to: "2026-01-01" is no time'],
    ["from=-1h&to=-2h", "from must be before to"],
    ["key=a&prefix=a", "key and prefix do not go together"],
    ["top=3&key=a", "top and key, prefix do not go together"],
    ["cursor=YQA", "cursor: not one of this listing"],
    ["top=0", "top"],
    ["limit=1001", "limit"],
    ["top=1000&limit=1000", "top times limit"],
    ["live=1", "live: is a path"],
  ])("?%s is a 400 that says why", async (search, why) => {
    const response = await deployment.request(`/v1/views/minutes?${search}`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ status: 400, detail: expect.stringContaining(why) });
  });

  test.each(["from=-1h", "to=now", "key=a&from=0"])("?%s of a keyed view is a 400", async (search) => {
    const response = await deployment.request(`/v1/views/amounts?${search}`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      detail: expect.stringContaining("amounts is not windowed"),
    });
  });

  test("a shard that does not answer is a 503 that names it, but not for a key of another one", async () => {
    const key = KEYS.find((one) => shardOf(one, SHARDS) !== 2) ?? "";
    deployment.down.add("minutes/2");
    try {
      for (const search of ["", "top=2", "prefix=a"]) {
        const response = await deployment.request(`/v1/views/minutes?${search}`);
        expect(response.status).toBe(503);
        expect(await response.json()).toMatchObject({ detail: expect.stringContaining("minutes, shard 2") });
      }
      await read(`key=${q(key)}`);
    } finally {
      deployment.down.delete("minutes/2");
    }
  });
});

test("windows become final when the watermark has passed them and their lateness, or the clock has", async () => {
  const deployment = await filled();
  const finals = async (view: string) =>
    (await deployment.get(`/v1/views/${view}?limit=1000`, windowsSchema)).entries.map(({ final }) => final);
  expect((await finals("minutes")).every((final) => !final)).toBe(true);
  expect((await finals("arrivals")).every((final) => !final)).toBe(true);
  // The last window ends at NOW, is late until a minute later, and its source may be 10 minutes out of order.
  await deployment.pass(7 * MINUTE);
  const some = await finals("minutes");
  expect(some.some((final) => final)).toBe(true);
  expect(some.every((final) => final)).toBe(false);
  expect(some.lastIndexOf(true)).toBe(some.indexOf(false) - 1);
  await deployment.pass(53 * MINUTE);
  expect((await finals("minutes")).every((final) => final)).toBe(true);
  expect((await finals("arrivals")).every((final) => final)).toBe(true);
});

describe("the watermarks of jobs", () => {
  const health = (deployment: Deployment) => deployment.get("/v1/health", healthSchema);
  const metric = async (deployment: Deployment, sample: string) => {
    const text = await (await deployment.request("/metrics")).text();
    const line = text.split("\n").find((one) => one.startsWith(`${sample} `));
    return line === undefined ? undefined : Number(line.slice(sample.length));
  };

  test("are null before anything is known, and follow the clock at the source's distance", async () => {
    const deployment = new Deployment(windowPlan());
    const [before] = (await health(deployment)).watermarks;
    expect(before?.job).toBe("shop");
    expect(before?.operators.find(({ operator }) => operator === "minutes")).toEqual({
      operator: "minutes",
      watermark: null,
      lagMs: null,
    });
    expect(await metric(deployment, 'millrace_watermark_lag_seconds{operator="minutes"}')).toBeUndefined();
    await deployment.send("clicks", items);
    const waiting = (await health(deployment)).watermarks[0]?.sources[0];
    expect(waiting).toMatchObject({ source: "clicks", holds: 1, replays: 0, frontier: iso(NOW) });
    // What waits in the queue holds the frontier back, however long.
    deployment.clock.advance(5 * MINUTE);
    expect((await health(deployment)).watermarks[0]?.sources[0]).toEqual({
      source: "clicks",
      watermark: iso(NOW - 10 * MINUTE - 1),
      lagMs: 15 * MINUTE + 1,
      frontier: iso(NOW),
      holds: 1,
      replays: 0,
    });
    await deployment.apply("clicks");
    await deployment.pass(MINUTE);
    const { status, watermarks } = await health(deployment);
    expect(status).toBe("ok");
    expect(watermarks[0]?.sources[0]).toMatchObject({ holds: 0, lagMs: 10 * MINUTE + 1 });
    const lag = 'millrace_source_watermark_lag_seconds{source="clicks"}';
    expect(await metric(deployment, lag)).toBe(600.001);
    expect(await metric(deployment, 'millrace_source_holds{source="clicks"}')).toBe(0);
    // The window of all times waits for the end of time.
    const ever = watermarks[0]?.operators.find(({ operator }) => operator === "ever");
    expect(ever?.nextTimer).toMatch(/^\+275760-09-1/);
  });

  test("are only those of jobs that go by event time", async () => {
    expect((await health(new Deployment())).watermarks).toEqual([]);
  });

  test("a coordinator that does not answer is named, and nothing else is missing", async () => {
    const deployment = await filled();
    deployment.down.add("watermarks");
    const { status, problems, watermarks, operators } = await health(deployment);
    expect({ status, problems, watermarks }).toEqual({
      status: "degraded",
      problems: ["watermarks of shop: out of order"],
      watermarks: [],
    });
    expect(operators).toHaveLength(5);
    expect((await deployment.request("/metrics")).status).toBe(200);
    deployment.down.clear();
    deployment.hanging.add("watermarks");
    expect((await health(deployment)).problems).toEqual(["watermarks of shop: no answer within 0.05 s"]);
  });

  test("late events are counted per operator", async () => {
    const deployment = await filled();
    await deployment.pass(60 * MINUTE);
    await deployment.send("clicks", [{ key: "a", time: NOW - 30 * MINUTE }]);
    await deployment.apply("clicks");
    const late = (operator: string) =>
      metric(deployment, `millrace_events_late_total{source="clicks",operator="${operator}"}`);
    expect([await late("minutes"), await late("visits"), await late("amounts")]).toEqual([1, 1, 0]);
  });
});
