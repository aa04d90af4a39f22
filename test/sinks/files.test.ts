/** files: names and format of the files, when they roll, and each event in them exactly once whatever fails. */
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { MemoryShards } from "../../src/engine/memory-shards.ts";
import type { Event, FileStore } from "../../src/index.ts";
import { files, MemoryFiles, PlanError, readFiles, VirtualClock } from "../../src/index.ts";
import type { FileInfo, FilePutOptions } from "../../src/sinks/file-store.ts";
import { MemoryStore } from "../../src/state/memory-store.ts";
import { call, segment } from "../engine/support.ts";
import { Random } from "../simulation/random.ts";
import type { Click } from "./support.ts";
import { clicksOf, namesIn, SinkRun, START } from "./support.ts";

const HOUR = 3_600_000;

async function contentOf(store: FileStore, key: string): Promise<Buffer> {
  return Buffer.from((await (await store.get(key))?.arrayBuffer()) ?? new ArrayBuffer());
}

async function readBack(store: FileStore, prefix?: string): Promise<Event<Click>[]> {
  const events: Event<Click>[] = [];
  for await (const event of readFiles<Click>(store, prefix)) events.push(event);
  return events;
}

const urls = (events: readonly Event<Click>[]) => events.map(({ data }) => data.url);

describe("a file", () => {
  test("is named after sink, hour, shard and number, and is gzipped JSON, an event a line", async () => {
    const FILES = new MemoryFiles();
    const run = new SinkRun(files("click-log"), { env: { FILES }, keyed: true });
    await run.send(clicksOf(2));
    expect(await namesIn(FILES)).toEqual([]);
    await run.pass(HOUR);
    expect(await namesIn(FILES)).toEqual(["click-log/2026/11/26/08/0-0000000001.ndjson.gz"]);
    const [key = ""] = await namesIn(FILES);
    const lines = gunzipSync(await contentOf(FILES, key)).toString();
    expect(lines.endsWith("}\n")).toBe(true);
    expect(
      lines
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual([
      {
        id: expect.stringMatching(/./),
        time: "2026-11-26T08:15:30.000Z",
        key: "user-0",
        data: { user: "user-0", url: "/0" },
      },
      {
        id: expect.stringMatching(/./),
        time: "2026-11-26T08:15:30.000Z",
        key: "user-1",
        data: { user: "user-1", url: "/1" },
      },
    ]);
    expect(await FILES.head(key)).toMatchObject({
      httpMetadata: { contentType: "application/x-ndjson", contentEncoding: "gzip" },
      customMetadata: { batch: "click-log/0/1", events: "2" },
    });
  });

  test("is plain where that is asked for, and is read back all the same", async () => {
    const FILES = new MemoryFiles();
    const run = new SinkRun(files("click-log", { compress: false }), { env: { FILES } });
    await run.send(clicksOf(2));
    await run.settle();
    const [key = ""] = await namesIn(FILES);
    expect(key).toMatch(/0-0000000001\.ndjson$/);
    const text = (await contentOf(FILES, key)).toString();
    expect(text.split("\n").map((line) => (line === "" ? "" : JSON.parse(line).data.url))).toEqual([
      "/0",
      "/1",
      "",
    ]);
    expect(urls(await readBack(FILES))).toEqual(["/0", "/1"]);
    expect(Object.keys((await FILES.head(key)) ?? {})).toContain("httpMetadata");
    expect(await FILES.head(key)).not.toHaveProperty("httpMetadata.contentEncoding");
  });

  test("gives back ids, times and keys as they were, and data of any text", async () => {
    const FILES = new MemoryFiles();
    const run = new SinkRun(files("click-log"), { env: { FILES }, keyed: true });
    const url = 'line\nbreak\r\u2028 "quoted" \\ \u0000 ä 🌊';
    await run.send([{ user: "ü\n", url }]);
    await run.settle();
    const events = await readBack(FILES);
    expect(events.map(({ time, key, data }) => [time, key, data])).toEqual([
      [START, "ü\n", { user: "ü\n", url }],
    ]);
  });
});

describe("a file is closed", () => {
  test("at the end of the UTC hour in which its first event came", async () => {
    const FILES = new MemoryFiles();
    const run = new SinkRun(files("click-log"), { env: { FILES } });
    await run.send([{ user: "a", url: "/08:15" }]);
    await run.pass(44 * 60_000 + 29_999);
    await run.send([{ user: "a", url: "/08:59" }]);
    expect(await namesIn(FILES)).toEqual([]);
    await run.pass(1);
    expect(await namesIn(FILES)).toEqual(["click-log/2026/11/26/08/0-0000000001.ndjson.gz"]);
    await run.send([{ user: "a", url: "/09:00" }]);
    await run.pass(HOUR);
    expect(await namesIn(FILES)).toHaveLength(2);
    expect(urls(await readBack(FILES, "click-log/2026/11/26/08/"))).toEqual(["/08:15", "/08:59"]);
    expect(urls(await readBack(FILES, "click-log/2026/11/26/09/"))).toEqual(["/09:00"]);
  });

  test("by size, by number and by time, each event in one of them", async () => {
    const clicks = clicksOf(100);
    for (const [options, filesAtOnce] of [
      [{ maxEvents: 10 }, 10],
      [{ maxBytes: 1000 }, undefined],
      [{ maxTime: 0 }, undefined],
    ] as const) {
      const FILES = new MemoryFiles();
      const run = new SinkRun(files("click-log", options), { env: { FILES } });
      await run.send(clicks);
      const names = await namesIn(FILES);
      if (filesAtOnce === undefined)
        expect(names.length).toBeGreaterThanOrEqual("maxTime" in options ? 1 : 5);
      else expect(names).toHaveLength(filesAtOnce);
      await run.settle();
      expect(urls(await readBack(FILES))).toEqual(urls(clicks.map((data) => ({ id: "", time: 0, data }))));
    }
  });
});

test("options out of range are plan errors, and the bucket is told to the plan", () => {
  expect(() => files("log", { maxBytes: 99 })).toThrow(PlanError);
  expect(() => files("log", { maxBytes: 64_000_000 })).toThrow(/sink log: maxBytes .* 100 to 32000000/);
  expect(() => files("log", { maxEvents: 0 })).toThrow(PlanError);
  expect(() => files("log", { maxTime: "soon" })).toThrow(/sink log: maxTime/);
  expect(files("log").bindings).toEqual([{ kind: "r2", binding: "FILES", name: "millrace-files" }]);
  expect(files("log", { bucket: "RAW_LOG", bucketName: "raw" }).bindings).toEqual([
    { kind: "r2", binding: "RAW_LOG", name: "raw" },
  ]);
  // A shard that holds more than one file's worth would otherwise refuse before the file is due.
  expect(files("log", { maxBytes: 20_000_000 }).options.bufferBytes).toBe(40_000_000);
});

test("without the bucket nothing is lost: it says what to do, and waits", async () => {
  const run = new SinkRun(files("click-log", { maxTime: 0 }));
  await run.send(clicksOf(3));
  expect(run.errors[0]).toMatch(/sink click-log: there is no bucket "FILES" here; run "npm run plan/);
  expect(run.starter.deadLetters()).toEqual([]);
  expect(run.starter.shards.shard("click-log", 0).counters.sink).toMatchObject({ last: 3, delivered: 0 });
});

test("a file of that name with other events in it is left alone, and the batch waits", async () => {
  const FILES = new MemoryFiles();
  const first = new SinkRun(files("click-log", { maxTime: 0 }), { env: { FILES } });
  await first.send([{ user: "a", url: "/before" }]);
  const second = new SinkRun(files("click-log", { maxTime: 0 }), { env: { FILES } });
  await second.send([{ user: "a", url: "/after" }]);
  expect(second.errors[0]).toMatch(/0-0000000001\.ndjson\.gz holds another batch/);
  expect(urls(await readBack(FILES))).toEqual(["/before"]);
  await FILES.delete("click-log/2026/11/26/08/0-0000000001.ndjson.gz");
  await second.settle();
  expect(urls(await readBack(FILES))).toEqual(["/after"]);
});

/** Fails before anything has arrived, or after all has. */
class FailingFiles extends MemoryFiles {
  readonly random: Random;
  readonly failed = { before: 0, after: 0, again: 0 };

  constructor(seed: number) {
    super();
    this.random = new Random(seed);
  }

  override async put(key: string, value: Uint8Array, options?: FilePutOptions): Promise<FileInfo | null> {
    const chance = this.random.next();
    if (chance < 0.3) {
      this.failed.before++;
      throw new Error("the connection broke");
    }
    const info = await super.put(key, value, options);
    if (info === null) this.failed.again++;
    if (chance >= 0.6) return info;
    this.failed.after++;
    throw new Error("no answer");
  }
}

test.each([1, 2, 3, 4, 5])(
  "each event is in the files once, though puts fail before and after they arrive (seed %i)",
  async (seed) => {
    const FILES = new FailingFiles(seed);
    const run = new SinkRun(files("click-log", { maxEvents: 7, shards: 3 }), { env: { FILES }, keyed: true });
    const clicks = clicksOf(200, 11);
    for (let at = 0; at < clicks.length; at += 20) {
      await run.send(clicks.slice(at, at + 20));
      await run.pass(60_000);
    }
    await run.settle();
    expect(FILES.failed.before).toBeGreaterThan(3);
    expect(FILES.failed.after).toBeGreaterThan(3);
    // What had arrived was written again, and changed nothing.
    expect(FILES.failed.again).toBeGreaterThan(3);
    expect(urls(await readBack(FILES)).sort()).toEqual(clicks.map(({ url }) => url).sort());
    expect(run.starter.deadLetters()).toEqual([]);
  },
);

test("a shard that dies between the put and its commit writes the same file again, and no other", async () => {
  const FILES = new MemoryFiles();
  const { plan } = new SinkRun(files("click-log", { maxEvents: 2 })).starter;
  const store = new MemoryStore();
  const clock = new VirtualClock(START);
  const startShards = (env: Readonly<Record<string, unknown>>) =>
    new MemoryShards(plan, { clock, env, makeStore: () => store });
  const arrivedAndDied = {
    list: () => undefined,
    put: async (...put: Parameters<MemoryFiles["put"]>) => {
      await FILES.put(...put);
      return new Promise(() => undefined);
    },
  };
  const doomed = startShards({ FILES: arrivedAndDied });
  const records = ["/a", "/b", "/c"].flatMap((url) => ["", [url, START, { user: "u", url }], 1]);
  await doomed.apply(call([segment(0, {}, { records })], { operator: "click-log" }));
  await expect.poll(() => namesIn(FILES)).toHaveLength(1);
  const [name = ""] = await namesIn(FILES);
  const before = await FILES.head(name);

  clock.advance(HOUR);
  const heir = startShards({ FILES });
  expect(heir.shard("click-log", 0).counters.sink).toMatchObject({ batch: { number: 1 }, delivered: 0 });
  for (let i = 0; i < 2; i++) {
    heir.wake();
    await heir.idle();
    clock.advance(HOUR);
  }
  expect(await FILES.head(name)).toEqual(before);
  expect(await namesIn(FILES)).toEqual([
    "click-log/2026/11/26/08/0-0000000001.ndjson.gz",
    "click-log/2026/11/26/08/0-0000000002.ndjson.gz",
  ]);
  expect(urls(await readBack(FILES))).toEqual(["/a", "/b", "/c"]);
  expect(heir.shard("click-log", 0).counters.sink).toMatchObject({ delivered: 3 });
});

test("the compression is part of the sink's signature: under two names a batch could be there twice", () => {
  expect(files("log", { compress: false }).signature).not.toBe(files("log").signature);
});
