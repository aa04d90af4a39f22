/** Reads of windows: by time, by key, by prefix, the top within each; against a plain list, at any number of shards. */
import { describe, expect, test, vi } from "vitest";
import { forgetKey, wipe } from "../../../src/engine/shard/erase.ts";
import { readRange } from "../../../src/engine/shard/reader.ts";
import { Shard } from "../../../src/engine/shard/shard.ts";
import { readWindows, readWindowTops } from "../../../src/engine/shard/window-reader.ts";
import { entryKey } from "../../../src/engine/shard/windows/window-keys.ts";
import type {
  Event,
  MemoryView,
  ProcessContext,
  SourceCollector,
  WindowAssigner,
} from "../../../src/index.ts";
import {
  count,
  every,
  hopping,
  Job,
  ProcessFunction,
  Source,
  session,
  sum,
  tumbling,
} from "../../../src/index.ts";
import { PageCache } from "../../../src/state/page-cache.ts";
import { TestDriver } from "../../../src/testing/index.ts";

interface Item {
  readonly key: string;
  readonly time: number;
  readonly n?: number;
}

class Items extends Source<Item> {
  getEvents(input: unknown, collector: SourceCollector<Item>): void {
    const item = input as Item;
    collector.emit(item, { time: item.time });
  }
}

const KEYS = ["", "a", "a\0", "ab", "b", "😀", "w", "s", "\uffff"];

async function filled(assigner: WindowAssigner<Item>, items: readonly Item[], shards: number) {
  const job = new Job("reads");
  job
    .addSource(new Items("items"))
    .keyBy(({ key }) => key)
    .window(assigner, { lateness: "1 second" })
    .aggregate(
      "sums",
      sum<Item>(({ n = 1 }) => n),
    );
  const driver = new TestDriver(job, { shards, watermarks: "explicit" });
  const middle = Math.floor(items.length / 2);
  await driver.sendBatch("items", items.slice(0, middle));
  const view = driver.view("sums");
  // Half of it lies in pages, the rest in the log.
  for (const shard of view.shards.shardsOf("sums")) shard.checkpoint();
  await driver.sendBatch("items", items.slice(middle));
  return { driver, view };
}

const items = KEYS.flatMap((key, k) =>
  Array.from({ length: 12 }, (_, n): Item => ({ key, time: n * 700 + k * 90, n: (n % 3) + k })),
);

/** What a plain list says: by `{end} {start} {key}`. */
function recount(list: readonly Item[], size: number, slide: number) {
  const sums = new Map<string, { key: string; window: { start: number; end: number }; value: number }>();
  for (const { key, time, n = 1 } of list) {
    for (let start = Math.floor(time / slide) * slide; start > time - size; start -= slide) {
      const id = JSON.stringify([start, key]);
      const value = (sums.get(id)?.value ?? 0) + n;
      sums.set(id, { key, window: { start, end: start + size }, value });
    }
  }
  const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  return [...sums.values()].sort((a, b) => a.window.end - b.window.end || compare(a.key, b.key));
}

describe.each([1, 4, 16])("%i shards", (shards) => {
  test.each([
    ["tumbling", tumbling(1_000), 1_000, 1_000],
    ["hopping", hopping(3_000, 1_000), 3_000, 1_000],
  ] as const)("%s windows by time, key and prefix", async (_, assigner, size, slide) => {
    const { driver, view } = await filled(assigner, items, shards);
    const wanted = recount(items, size, slide);
    const plain = (list: ReturnType<MemoryView["windows"]>) => list.map(({ final: _, ...entry }) => entry);
    expect(plain(view.windows())).toEqual(wanted);
    for (const key of [...KEYS, "nobody"]) {
      expect(plain(view.windows({ key }))).toEqual(wanted.filter((entry) => entry.key === key));
      expect(plain(view.windows({ prefix: key }))).toEqual(
        wanted.filter((entry) => entry.key.startsWith(key)),
      );
    }
    for (const [from, to] of [
      [0, 1],
      [1_000, 2_000],
      [999, 1_001],
      [2_500, 4_200],
      [90_000, 99_000],
    ] as const) {
      expect(plain(view.windows({ from, to }))).toEqual(
        wanted.filter(({ window }) => window.end > from && window.start < to),
      );
    }
    // The watermark has passed the first windows, and their lateness.
    await driver.watermark(2_999);
    const finals = view.windows().filter(({ final }) => final);
    expect(finals.length).toBeGreaterThan(0);
    expect(finals).toEqual(view.windows().filter(({ window }) => window.end - 1 + 1_000 <= 2_999));
    expect(() => view.get("a")).toThrow("read it with windows()");
    expect(() => view.top(1)).toThrow("read it with windows()");
    expect(() => view.entries()).toThrow(RangeError);
    expect(() => view.entries()).toThrow("read it with windows()");
  });

  test("pages of any size give each entry once, and tops are the first of each window", async () => {
    const { view } = await filled(tumbling(2_000), items, shards);
    for (const shard of view.shards.shardsOf("sums")) {
      const all = readWindows(shard, { limit: 1_000 });
      for (const limit of [1, 3, 7]) {
        const found: typeof all = [];
        for (let after: string | undefined; ; after = found.at(-1)?.place) {
          const page = readWindows(shard, { limit, ...(after === undefined ? {} : { after }) });
          found.push(...page);
          if (page.length < limit) break;
        }
        expect(found).toEqual(all);
      }
      const tops = readWindowTops(shard, { limit: 100, top: 2 });
      const ends = [...new Set(all.map(({ window }) => window.end))];
      expect(tops).toEqual(
        ends.flatMap((end) =>
          all
            .filter(({ window }) => window.end === end)
            .sort((a, b) => (b.value as number) - (a.value as number) || (a.key < b.key ? -1 : 1))
            .slice(0, 2),
        ),
      );
    }
  });
});

test("a page of a window of many keys reads a few pages of its state, not all", async () => {
  const many = Array.from(
    { length: 20_000 },
    (_, n): Item => ({ key: `key-${n}`, time: 500 + (n % 2) * 1_000 }),
  );
  const { driver, view } = await filled(tumbling(1_000), many.slice(0, 1_000), 1);
  for (let at = 1_000; at < many.length; at += 1_000) {
    await driver.sendBatch("items", many.slice(at, at + 1_000));
  }
  const [shard] = view.shards.shardsOf("sums");
  if (shard === undefined) throw new Error("there is one shard");
  shard.checkpoint();
  expect(shard.state.pages).toBeGreaterThan(20);
  const { store } = shard.options;
  const reads = vi.spyOn(store, "readPage");
  const cold = new Shard({ ...shard.options, cache: new PageCache(0) });
  const pagesFor = (range: Parameters<typeof readWindows>[1]) => {
    reads.mockClear();
    readWindows(cold, range);
    return reads.mock.calls.length;
  };
  expect(pagesFor({ limit: 10 })).toBeLessThan(6);
  expect(pagesFor({ limit: 10, prefix: "key-199" })).toBeLessThan(8);
  // Both windows, each by a seek to it, one to its key, and one past it.
  expect(pagesFor({ limit: 10, key: "key-777" })).toBeLessThan(12);
});

test("a read ends whatever windows are stored", async () => {
  const { view } = await filled(tumbling(1_000), items.slice(0, 2), 1);
  const [shard] = view.shards.shardsOf("sums");
  if (shard === undefined) throw new Error("there is one shard");
  const odd = [
    { start: 0, end: Number.NaN },
    { start: Number.NaN, end: 5 },
    { start: 0, end: Number.POSITIVE_INFINITY },
    { start: 10, end: 5 },
    { start: -20, end: -10 },
    { start: 0.5, end: 10.5 },
  ];
  shard.transact([], (commit) => {
    for (const window of odd) commit.put(entryKey(window, "k"), [1, 1, 0]);
  });
  expect(readWindows(shard, { limit: 100 }).filter(({ key }) => key === "")).toHaveLength(1);
  expect(readWindows(shard, { limit: 100, key: "k" }).length).toBeLessThanOrEqual(odd.length);
  expect(readWindowTops(shard, { limit: 100, top: 1 }).length).toBeLessThanOrEqual(odd.length + 1);
});

test("a key that a process function's view does not show is in no read", async () => {
  class Odds extends ProcessFunction<Item, Item> {
    apply({ data }: Event<Item>, _collector: unknown, { state }: ProcessContext): void {
      state.value<number>("last").set(data.n ?? 0);
    }
    override view({ last }: Readonly<Record<string, unknown>>): unknown {
      return (last as number) % 2 === 1 ? last : undefined;
    }
  }
  const job = new Job("hidden");
  job
    .addSource(new Items("items"))
    .keyBy(({ key }) => key)
    .applyOperator(new Odds("odds"));
  for (const shards of [1, 4, 16]) {
    const driver = new TestDriver(job, { shards });
    await driver.sendBatch(
      "items",
      KEYS.map((key, n) => ({ key, time: driver.now, n })),
    );
    const view = driver.view("odds");
    const shown = KEYS.map((key, n) => ({ key, value: n })).filter(({ value }) => value % 2 === 1);
    expect(view.entries()).toEqual(shown.toSorted((a, b) => (a.key < b.key ? -1 : 1)));
    expect(view.top(2).map(({ value }) => value)).toEqual([7, 5]);
    for (const [n, key] of KEYS.entries()) expect(view.get(key)).toBe(n % 2 === 1 ? n : undefined);
    // Hidden keys take no place on a page.
    const firsts = view.shards.shardsOf("odds").map((shard) => readRange(shard, { limit: 1 }));
    for (const page of firsts.filter((one) => one.length > 0)) expect((page[0]?.value as number) % 2).toBe(1);
  }
});

test.each([
  ["tumbling", tumbling(1_000)],
  ["session", session(500)],
] as const)("a key that is erased is in no %s window, in no timer and in no row", async (_, assigner) => {
  const job = new Job("erased");
  const windows = job
    .addSource(new Items("items"))
    .keyBy(({ key }) => key)
    .window(assigner, { early: every("1 hour"), lateness: "1 second" })
    .aggregate("counts", count());
  const driver = new TestDriver(job, { shards: 1, watermarks: "explicit" });
  driver.output(windows);
  const SECRET = "alice@example.org";
  const keys = [SECRET, "bob"];
  await driver.sendBatch(
    "items",
    [0, 400, 5_000, 9_000].flatMap((time) => keys.map((key) => ({ key, time }))),
  );
  await driver.watermark(6_000);
  const view = driver.view("counts");
  const [shard] = view.shards.shardsOf("counts");
  if (shard === undefined) throw new Error("there is one shard");
  const before = view.windows({ key: "bob" });
  expect(view.windows({ key: SECRET })).toHaveLength(before.length);
  expect(forgetKey(shard, SECRET)).toMatchObject({ keys: 1, deadLetters: 0 });
  expect(view.windows({ key: SECRET })).toEqual([]);
  expect(view.windows()).toEqual(before);
  expect(shard.counters.keys).toBe(before.length);
  expect(wipe(shard).waitingFor).toBeUndefined();
  const texts: string[] = [];
  for (const { key } of [...shard.state.entries(), ...shard.timers.entries()]) texts.push(key);
  expect(texts.filter((text) => text.includes(SECRET))).toEqual([]);
  // What is left goes on: the other key's windows fire, and nothing asks for the one that is gone.
  await driver.watermark("end");
  expect(view.windows({ key: "bob" }).every(({ final }) => final)).toBe(true);
});
