/** When a checkpoint is due and how fast it is written; and what that comes to for many keys: rows, the log, a wake-up. */
import { describe, expect, test } from "vitest";
import type { PaceLimits, Unwritten } from "../../../src/engine/shard/checkpoint-pace.ts";
import { isDue, stepOf } from "../../../src/engine/shard/checkpoint-pace.ts";
import type { Shard } from "../../../src/engine/shard/shard.ts";
import { MemoryStore } from "../../../src/state/memory-store.ts";
import { PageCache } from "../../../src/state/page-cache.ts";
import { Random } from "../../simulation/random.ts";
import { call, countJob, segment, shardOver, viewOf } from "../support.ts";

const LIMITS: PaceLimits = {
  checkpointCommits: 64,
  checkpointBytes: 8000,
  checkpointKeys: 1000,
  checkpointStepPages: 4,
  logRows: 512,
};
const NOTHING: Unwritten = { commits: 0, logRows: 0, logBytes: 0, keys: 0, pages: 0 };

describe("a checkpoint is due", () => {
  test.each([
    [false, "while there is little", { commits: 63, logRows: 63, logBytes: 7999, keys: 999, pages: 1 }],
    [true, "when the log is long", { logBytes: 8000 }],
    [true, "when many keys have changed", { keys: 1000 }],
    [true, "after some commits, if it writes few pages", { commits: 64, logRows: 64, pages: 64 }],
    [
      false,
      "after some commits, not if it writes more pages than that",
      { commits: 64, logRows: 64, pages: 65 },
    ],
    [true, "after as many commits as it writes pages", { commits: 300, logRows: 300, pages: 300 }],
    [true, "when the log has few rows left", { commits: 384, logRows: 384, pages: 5000 }],
    [true, "when large commits have taken them", { commits: 60, logRows: 384, pages: 5000 }],
  ])("%s: %s", (due, _why, unwritten) => {
    expect(isDue({ ...NOTHING, ...unwritten }, LIMITS)).toBe(due);
  });

  test("by commits, however few rows there are", () => {
    const limits = { ...LIMITS, checkpointCommits: 3, logRows: 4 };
    expect(isDue({ ...NOTHING, commits: 3, logRows: 2, pages: 9 }, limits)).toBe(true);
  });
});

describe("a commit writes", () => {
  test.each([
    ["a few pages at least", 10, 0, 4],
    ["so many that 64 commits are enough", 6400, 0, 100],
    ["more, the more the log grows", 100, 200, 10],
    ["all that is left, after a large one", 100, 1e6, 100],
  ])("%s", (_what, pages, bytes, step) => {
    expect(stepOf(pages, bytes, LIMITS)).toBe(step);
  });

  test("so many that 8 commits are enough, where memory is short", () => {
    expect([stepOf(6400, 0, LIMITS, true), stepOf(10, 0, LIMITS, true)]).toEqual([800, 4]);
  });
});

describe("over many keys", () => {
  const plan = countJob();
  const KEYS = 60_000;
  const key = (n: number) => `/product/${String(n).padStart(6, "0")}/reviews`;
  /** Everything known, and in pages. */
  function filled(limits = {}): { shard: Shard; store: MemoryStore; pages: number } {
    const store = new MemoryStore();
    const shard = shardOver(store, plan, { limits });
    const all = Array.from({ length: KEYS }, (_, n) => [key(n), 1, 1]).flat();
    shard.apply(call([segment(0, {}, { records: all })]));
    shard.checkpoint();
    return { shard, store, pages: shard.state.pages };
  }
  const some = (random: Random, n: number) =>
    Array.from({ length: n }, () => [key(random.int(0, KEYS - 1)), 1, 1]).flat();

  test("small commits write no more rows for pages than for the log", () => {
    const { shard, store, pages } = filled();
    expect(pages).toBeGreaterThan(64);
    const random = new Random(1);
    const before = store.rowsWritten;
    const commits = 400;
    for (let n = 1; n <= commits; n++) shard.apply(call([segment(n, {}, { records: some(random, 40) })]));
    expect(shard.checkpointLsn).toBeGreaterThan(0);
    expect(store.rowsWritten - before).toBeLessThan(2.2 * commits);
  });

  test("large commits do not make the log much longer than a checkpoint lets it be", () => {
    const checkpointBytes = 1_000_000;
    const { shard } = filled({ checkpointBytes });
    const random = new Random(2);
    let longest = 0;
    let checkpoints = 0;
    for (let n = 1; n <= 40; n++) {
      const before = shard.checkpointLsn;
      shard.apply(call([segment(n, {}, { records: some(random, 5000) })]));
      longest = Math.max(longest, shard.log.bytes);
      if (shard.checkpointLsn > before) checkpoints++;
    }
    expect(checkpoints).toBeGreaterThan(1);
    expect(longest).toBeGreaterThan(checkpointBytes);
    expect(longest).toBeLessThan(checkpointBytes * 1.6);
  });

  test("a wake-up puts much into pages, and little beside them", () => {
    const { shard, store } = filled();
    const random = new Random(3);
    shard.apply(call([segment(1, {}, { records: some(random, 100) })]));
    const little = shardOver(store, plan);
    expect(little.state.pinnedBytes).toBe(0);
    expect(little.state.keysBeside).toBeGreaterThan(90);
    expect(viewOf(little)).toEqual(viewOf(shard));
    for (let n = 2; n < 5; n++) shard.apply(call([segment(n, {}, { records: some(random, 20_000) })]));
    // New keys, keys that repeat from one commit to the next, and one that comes after all others.
    shard.apply(call([segment(5, { "/new": 3, [key(7)]: 2, "/z": 1 })]));
    const much = shardOver(store, plan);
    expect(much.state.pinnedBytes).toBeGreaterThan(0);
    expect(much.state.keysBeside).toBe(2);
    expect(viewOf(much)).toEqual(viewOf(shard));
    much.checkpoint();
    expect(viewOf(shardOver(store, plan))).toEqual(viewOf(shard));
  });

  test("shards that share memory read no page again and again where all of them fit", () => {
    const needed = filled().shard.state.pageBytes;
    const cache = new PageCache(needed * 1.3);
    let reads = 0;
    const shards = Array.from({ length: 4 }, () => {
      const store = new MemoryStore();
      const read = store.readPage.bind(store);
      store.readPage = (id) => {
        reads++;
        return read(id);
      };
      return shardOver(store, plan, { cache });
    });
    const random = new Random(4);
    const order = Array.from({ length: KEYS }, (_, n) => n).sort(() => random.int(0, 1) - 0.5);
    const apply = (sequence: number, numbers: readonly number[]) => {
      for (const [n, shard] of shards.entries()) {
        const own = numbers.filter((number) => number % shards.length === n);
        const records = own.flatMap((number) => [key(number), 1, 1]);
        if (own.length > 0) shard.apply(call([segment(sequence, {}, { records })]));
      }
    };
    let sequence = 0;
    for (let at = 0; at < KEYS; at += 2_000) apply(sequence++, order.slice(at, at + 2_000));
    reads = 0;
    for (let n = 0; n < 60; n++)
      apply(
        sequence++,
        Array.from({ length: 2_000 }, () => random.int(0, KEYS - 1)),
      );
    const pages = shards.reduce((sum, { state }) => sum + state.pages, 0);
    expect(shards.reduce((sum, { state }) => sum + state.pageBytes, 0)).toBeLessThan(cache.maxBytes);
    expect(reads).toBeLessThan(pages * 3);
  });
});
