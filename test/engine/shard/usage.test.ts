/** What a shard has used rides in its commits: by hand, and over refusals, checkpoints and sleep. */
import { describe, expect, test } from "vitest";
import { ShardHost } from "../../../src/engine/shard/host.ts";
import { readStats } from "../../../src/engine/shard/reader.ts";
import type { Shard } from "../../../src/engine/shard/shard.ts";
import type { Usages } from "../../../src/engine/usage.ts";
import { ShardRefusedError } from "../../../src/errors.ts";
import { count, Job, planJobs } from "../../../src/index.ts";
import { MemoryStore } from "../../../src/state/memory-store.ts";
import { call, countJob, Records, segment, shardOver } from "../support.ts";

const plan = countJob();
const NEVER = { checkpointCommits: 1000 };

function opened(store = new MemoryStore(), limits = NEVER) {
  const shard = shardOver(store, plan, { limits });
  const ports = {
    apply: () => Promise.reject(new Error("nobody")),
    want: () => Promise.resolve(),
    queue: () => {
      throw new Error("no queue");
    },
    env: {},
  };
  return { shard, store, host: new ShardHost({ plan, shard, ports }) };
}

function usedBy(shard: Shard): Usages | undefined {
  return readStats(shard).used;
}

test("a commit counts its own row, the first one also that of the shard's name, and the calls up to it", () => {
  const { host, shard, store } = opened();
  expect(usedBy(shard)).toBeUndefined();
  host.apply(call([segment(0, { a: 1 })]));
  expect(usedBy(shard)).toEqual({ counts: { objects: 1, written: 2 } });
  // A duplicate commits nothing; it is counted with the next commit.
  host.apply(call([segment(0, { a: 1 })]));
  expect(usedBy(shard)).toEqual({ counts: { objects: 1, written: 2 } });
  host.apply(call([segment(1, { a: 1, b: 1 })]));
  expect(usedBy(shard)).toEqual({ counts: { objects: 3, written: 3 } });
  expect(store.rowsWritten).toBe(3);
});

test("what a checkpoint has written is counted with the next commit, and is not lost with the instance", () => {
  const { host, shard, store } = opened();
  host.apply(call([segment(0, { a: 1 })]));
  shard.checkpoint();
  const rows = store.rowsWritten;
  expect(rows).toBeGreaterThan(2);
  expect(usedBy(shard)).toEqual({ counts: { objects: 1, written: 2 } });
  // One that lives on, and one that wakes up where it would have been: both count it once.
  expect(usedBy(opened(store).shard)).toEqual({ counts: { objects: 1, written: rows } });
  host.apply(call([segment(1, { a: 1 })]));
  expect(usedBy(shard)).toEqual({ counts: { objects: 2, written: rows + 1 } });
  const woken = opened(store);
  woken.host.apply(call([segment(2, { a: 1 })]));
  expect(usedBy(woken.shard)).toEqual({ counts: { objects: 3, written: rows + 2 } });
});

describe("what a call brings", () => {
  const used: Usages = { records: { requests: 2, queue: 3 } };

  test("rides in its commit, or, where there is none, in the next", () => {
    const { shard } = opened();
    shard.apply(call([segment(0, { a: 1 })], { used }));
    expect(usedBy(shard)?.records).toEqual(used.records);
    shard.apply(call([segment(0, { a: 1 })], { used }));
    shard.apply(call([segment(1, { a: 1 })]));
    expect(usedBy(shard)?.records).toEqual({ requests: 4, queue: 6 });
  });

  test("outlasts a sleep once it is committed, over checkpoints too", () => {
    for (const checkpointCommits of [1, 2, 1000]) {
      const { shard, store } = opened(new MemoryStore(), { checkpointCommits });
      for (const sequence of [0, 1, 2]) shard.apply(call([segment(sequence, { a: 1 })], { used }));
      expect(usedBy(opened(store).shard)?.records).toEqual({ requests: 6, queue: 9 });
    }
  });

  test("is not counted by a call that is refused: its caller keeps it", () => {
    const { shard } = opened();
    const misled = () => shard.apply(call([segment(0, { a: 1 })], { used, shards: 99 }));
    expect(misled).toThrow(ShardRefusedError);
    shard.apply(call([segment(0, { a: 1 })]));
    expect(usedBy(shard)?.records).toBeUndefined();
  });

  test("nor by one that user code refuses by its policy, when it has gone half-way", () => {
    const job = new Job("job", { onError: "fail" });
    const records = job.addSource(new Records("records"));
    records.keyBy(({ key }) => key).aggregate("counts", count(), { shards: 1 });
    const shard = shardOver(new MemoryStore(), planJobs([job]));
    const dead = [{ operator: "map", error: "no", event: { id: "e", time: 0, data: 1 }, n: 1 }];
    expect(() => shard.apply(call([segment(0, {}, { dead })], { used }))).toThrow(ShardRefusedError);
    shard.apply(call([segment(1, { a: 1 })], { used }));
    expect(usedBy(shard)?.records).toEqual(used.records);
  });
});
