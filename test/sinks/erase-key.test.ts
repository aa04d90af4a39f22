/** eraseKey: the events of a key leave the files and do not come back, wherever it is interrupted. */
import { expect, test } from "vitest";
import { eraseKey, files, MemoryFiles, readFiles } from "../../src/index.ts";
import type { FileInfo, FilePutOptions, StoredFile } from "../../src/sinks/file-store.ts";
import type { Click } from "./support.ts";
import { clicksOf, namesIn, SinkRun } from "./support.ts";

/** 30 clicks of three users in five files of six. */
async function written<F extends MemoryFiles>(FILES: F, compress = true): Promise<F> {
  const run = new SinkRun(files("log", { maxEvents: 6, compress }), { env: { FILES }, keyed: true });
  await run.send(clicksOf(30));
  await run.settle();
  expect(await namesIn(FILES, "log/")).toHaveLength(5);
  return FILES;
}

async function usersIn(FILES: MemoryFiles, prefix = "log/"): Promise<Record<string, number>> {
  const users: Record<string, number> = {};
  for await (const { data } of readFiles<Click>(FILES, prefix))
    users[data.user] = (users[data.user] ?? 0) + 1;
  return users;
}

test.each([true, false])(
  "removes the events of one key, and no others; again, it finds nothing (gzip: %s)",
  async (compress) => {
    const FILES = await written(new MemoryFiles(), compress);
    const names = await namesIn(FILES);
    expect(await eraseKey(FILES, "log", "user-1")).toEqual({ objects: 5, rewritten: 5, events: 10 });
    expect(await usersIn(FILES)).toEqual({ "user-0": 10, "user-2": 10 });
    expect(await eraseKey(FILES, "log", "user-1")).toEqual({ objects: 5, rewritten: 0, events: 0 });
    expect(await namesIn(FILES)).toEqual(names);
    expect(await FILES.head(names[0] as string)).toMatchObject({
      httpMetadata: { contentType: "application/x-ndjson", ...(compress ? { contentEncoding: "gzip" } : {}) },
      customMetadata: { batch: "log/0/1", events: "4" },
    });
  },
);

test("leaves the files of a sink alone whose name only begins the same", async () => {
  const FILES = await written(new MemoryFiles());
  const run = new SinkRun(files("log-2"), { env: { FILES }, keyed: true });
  await run.send(clicksOf(3));
  await run.settle();
  await eraseKey(FILES, "log", "user-1");
  expect(await usersIn(FILES, "log-2/")).toEqual({ "user-0": 1, "user-1": 1, "user-2": 1 });
});

test("goes on page by page where the report before ended", async () => {
  const FILES = await written(new MemoryFiles());
  const reports = [await eraseKey(FILES, "log", "user-0", { limit: 2 })];
  for (let cursor = reports[0]?.cursor; cursor !== undefined; cursor = reports.at(-1)?.cursor) {
    reports.push(await eraseKey(FILES, "log", "user-0", { limit: 2, cursor }));
  }
  expect(reports.map(({ objects, events }) => [objects, events])).toEqual([
    [2, 4],
    [2, 4],
    [1, 2],
  ]);
  expect(await usersIn(FILES)).toEqual({ "user-1": 10, "user-2": 10 });
});

test("a batch that is written again late does not bring back what was erased", async () => {
  class Deaf extends MemoryFiles {
    deaf = true;
    override async put(key: string, value: Uint8Array, options?: FilePutOptions): Promise<FileInfo | null> {
      const info = await super.put(key, value, options);
      if (this.deaf) throw new Error("no answer");
      return info;
    }
  }
  const FILES = new Deaf();
  const run = new SinkRun(files("log", { maxTime: 0 }), { env: { FILES }, keyed: true });
  await run.send([{ user: "gone", url: "/" }]);
  expect(run.errors).toEqual(["no answer"]);
  FILES.deaf = false;
  expect(await eraseKey(FILES, "log", "gone")).toEqual({ objects: 1, rewritten: 1, events: 1 });
  await run.settle();
  expect(run.starter.shards.shard("log", 0).counters.sink).toMatchObject({ delivered: 1 });
  expect(await usersIn(FILES)).toEqual({});
  expect(await namesIn(FILES)).toHaveLength(1);
});

test("may be interrupted at any step and begun again", async () => {
  class Breaking extends MemoryFiles {
    left = Number.POSITIVE_INFINITY;
    override async put(key: string, value: Uint8Array, options?: FilePutOptions): Promise<FileInfo | null> {
      if (this.left-- === 0) throw new Error("the connection broke");
      return super.put(key, value, options);
    }
  }
  for (let step = 0; step < 5; step++) {
    const FILES = await written(new Breaking());
    FILES.left = step;
    await expect(eraseKey(FILES, "log", "user-2")).rejects.toThrow("the connection broke");
    FILES.left = Number.POSITIVE_INFINITY;
    expect((await usersIn(FILES))["user-2"]).toBe(10 - 2 * step);
    expect(await eraseKey(FILES, "log", "user-2")).toEqual({
      objects: 5,
      rewritten: 5 - step,
      events: 10 - 2 * step,
    });
    expect(await usersIn(FILES)).toEqual({ "user-0": 10, "user-1": 10 });
  }
});

test("two at a time undo nothing of each other", async () => {
  /** Erases another key between the read and the write of the first. */
  class Interleaved extends MemoryFiles {
    between: (() => Promise<unknown>) | undefined;
    override async get(key: string): Promise<StoredFile | null> {
      const file = await super.get(key);
      const { between } = this;
      this.between = undefined;
      await between?.();
      return file;
    }
  }
  const FILES = await written(new Interleaved());
  FILES.between = () => eraseKey(FILES, "log", "user-0");
  expect(await eraseKey(FILES, "log", "user-1")).toEqual({ objects: 5, rewritten: 5, events: 10 });
  expect(await usersIn(FILES)).toEqual({ "user-2": 10 });
});

test("a file that never stands still is an error that says so", async () => {
  class Restless extends MemoryFiles {
    override async put(key: string, value: Uint8Array, options?: FilePutOptions): Promise<FileInfo | null> {
      return options?.onlyIf?.etagMatches === undefined ? super.put(key, value, options) : null;
    }
  }
  await expect(eraseKey(await written(new Restless()), "log", "user-1")).rejects.toThrow(
    /0-0000000001\.ndjson\.gz changed 5 times .* erase again/,
  );
});
