/** AggregateProcessor's emissions: the change of each key once a commit, so that whoever adds up differences has the view. */
import { describe, expect, test } from "vitest";
import type { Shard } from "../../../src/engine/shard/shard.ts";
import { ShardRefusedError } from "../../../src/errors.ts";
import type { Aggregator, FailurePolicy, KeyedResult } from "../../../src/index.ts";
import { average, count, Job, max, planJobs, sum } from "../../../src/index.ts";
import { MemoryStore } from "../../../src/state/memory-store.ts";
import { Random } from "../../simulation/random.ts";
import { call, NOW, P, Q, Records, segment, shardOver, viewOf } from "../support.ts";
import { emittedBy, eventsOf, lettersOf, Nowhere, takeOutbox } from "./support.ts";

type Record3 = readonly [key: string, partial: unknown, time?: number];

function readBy<Acc, Out>(
  aggregator: Aggregator<{ key: string }, Acc, Out>,
  { onError = "dead-letter", maxKeys = 1_000 }: { onError?: FailurePolicy; maxKeys?: number } = {},
) {
  const job = new Job("job", { onError });
  job
    .addSource(new Records("records"))
    .keyBy(({ key }) => key)
    .aggregate("counts", aggregator, { shards: 1, maxKeys })
    .addSink(new Nowhere("out"));
  return planJobs([job]);
}

/** A sum that cannot take 13, while it is broken. */
function fragile(isBroken = () => true): Aggregator<{ key: string }, number, number> {
  return {
    signature: "fragile@1",
    create: () => 0,
    add: (n) => n + 1,
    merge: (left, right) => {
      if (right === 13 && isBroken()) throw new Error("unlucky");
      return left + right;
    },
    result: (n) => n,
  };
}

const counting = readBy(count() as unknown as Aggregator<{ key: string }, number, number>);

function merging(sequence: number, records: readonly Record3[], more = {}) {
  return segment(
    sequence,
    {},
    {
      records: records.flatMap(([key, partial]) => [key, partial, 1]),
      times: records.map(([, , time = NOW]) => time),
      ...more,
    },
  );
}

const apply = (shard: Shard, ...segments: ReturnType<typeof merging>[]) => shard.apply(call(segments));
const changes = (shard: Shard) => emittedBy(shard).map(({ data }) => data as KeyedResult<unknown>);

describe("one event for each key that a commit changed", () => {
  test("with what it is, what it was, and nothing of before for a new key", () => {
    const shard = shardOver(new MemoryStore(), counting);
    apply(
      shard,
      merging(0, [
        ["a", 1],
        ["b", 2],
      ]),
    );
    apply(
      shard,
      merging(1, [["a", 3]]),
      merging(2, [
        ["a", 5],
        ["c", 1],
      ]),
    );
    expect(changes(shard)).toEqual([
      { key: "a", value: 1 },
      { key: "b", value: 2 },
      { key: "a", value: 9, previous: 1 },
      { key: "c", value: 1 },
    ]);
    expect(changes(shard).map((change) => "previous" in change)).toEqual([false, false, true, false]);
  });

  test("with the latest event time of what changed it in this commit, not before", () => {
    const shard = shardOver(new MemoryStore(), counting);
    apply(
      shard,
      merging(0, [
        ["a", 1, NOW + 9],
        ["a", 1, NOW + 4],
        ["b", 1, 5],
      ]),
      merging(1, [["b", 1, 3]]),
    );
    apply(shard, merging(2, [["a", 1, NOW - 9]]));
    expect(emittedBy(shard).map(({ time }) => time)).toEqual([NOW + 9, 5, NOW - 9]);
  });

  test("with the commit's time where the time is not known: a segment of before times existed", () => {
    const shard = shardOver(new MemoryStore(), counting);
    shard.apply(call([segment(0, { a: 1 })]));
    expect(emittedBy(shard).map(({ time }) => time)).toEqual([NOW]);
  });

  test("under ids that no other commit and no other shard gives", () => {
    const ids = [0, 1].flatMap((shard) => {
      const job = new Job("job");
      job
        .addSource(new Records("records"))
        .keyBy(({ key }) => key)
        .aggregate("counts", count(), { shards: 2 })
        .addSink(new Nowhere("out"));
      const one = shardOver(new MemoryStore(), planJobs([job]), { shard });
      for (const n of [0, 1])
        one.apply(
          call(
            [
              merging(n, [
                ["a", 1],
                ["b", 1],
              ]),
            ],
            { shard, shards: 2 },
          ),
        );
      return emittedBy(one).map(({ id }) => id);
    });
    expect(ids).toEqual(
      [0, 1].flatMap((shard) => ["1.0", "1.1", "2.0", "2.1"].map((rest) => `counts/${shard}.${rest}`)),
    );
  });
});

describe("nothing", () => {
  test("for a key whose result stays the same, numbers and objects alike", () => {
    const shard = shardOver(new MemoryStore(), readBy(max(() => 0) as never));
    apply(shard, merging(0, [["a", [5]]]));
    takeOutbox(shard);
    apply(shard, merging(1, [["a", [3]]]), merging(2, [["a", [5]]]));
    expect([shard.outbox.size, viewOf(shard)]).toEqual([0, { a: 5 }]);

    const pairs: Aggregator<{ key: string }, number[], { parity: number }> = {
      signature: "parity@1",
      create: () => [],
      add: (all) => all,
      merge: (left, right) => [...left, ...right],
      result: (all) => ({ parity: all.length % 2 }),
    };
    const other = shardOver(new MemoryStore(), readBy(pairs));
    apply(other, merging(0, [["a", [1]]]));
    apply(other, merging(1, [["a", [1, 2]]]));
    apply(other, merging(2, [["a", [1]]]));
    expect(changes(other)).toEqual([
      { key: "a", value: { parity: 1 } },
      { key: "a", value: { parity: 0 }, previous: { parity: 1 } },
    ]);
  });

  test("for a new key whose result is that of nothing: a new key is a change", () => {
    const shard = shardOver(new MemoryStore(), readBy(sum(() => 0) as never));
    apply(shard, merging(0, [["a", 0]]));
    expect(changes(shard)).toEqual([{ key: "a", value: 0 }]);
  });

  test("for duplicates, dead records, and keys beyond the limit", () => {
    const plan = readBy(fragile(), { maxKeys: 1 });
    const shard = shardOver(new MemoryStore(), plan);
    apply(shard, merging(0, [["a", 1]]));
    takeOutbox(shard);
    apply(shard, merging(0, [["a", 1]]));
    apply(shard, merging(1, [["b", 1]]));
    apply(shard, merging(2, [["a", 13]]));
    expect(shard.counters.overflowEvents).toBe(1);
    expect(lettersOf(shard)).toMatchObject([{ error: "unlucky", record: { key: "a", partial: 13 } }]);
    expect(shard.outbox.size).toBe(0);
  });

  test("where nobody reads it", () => {
    const job = new Job("job");
    job
      .addSource(new Records("records"))
      .keyBy(({ key }) => key)
      .aggregate("counts", count(), { shards: 1 });
    const shard = shardOver(new MemoryStore(), planJobs([job]));
    apply(shard, merging(0, [["a", 1]]));
    expect([shard.outbox.size, shard.counters.channels]).toEqual([0, undefined]);
  });
});

test("what a refused commit had begun is told by no later one", () => {
  const shard = shardOver(new MemoryStore(), readBy(fragile(), { onError: "fail" }));
  expect(() =>
    apply(
      shard,
      merging(0, [
        ["a", 1],
        ["b", 13],
      ]),
    ),
  ).toThrow(ShardRefusedError);
  // A commit that applies no segment, as a redrive's is.
  shard.transact([], () => undefined);
  expect(shard.outbox.size).toBe(0);
  apply(shard, merging(1, [["c", 1]]));
  expect(changes(shard)).toEqual([{ key: "c", value: 1 }]);
});

test.each(Array.from({ length: 20 }, (_, n) => n + 1))(
  "differences add up to the view, whatever repeats, fails and sleeps (seed %i)",
  (seed) => {
    const random = new Random(seed);
    const store = new MemoryStore();
    const averaging = random.chance(0.3);
    const plan = averaging ? readBy(average(() => 0) as never) : readBy(fragile());
    const limits = { checkpointCommits: random.int(1, 5), checkpointStepPages: 1 };
    let shard = shardOver(store, plan, { limits });
    const added = new Map<string, number>();
    const latest = new Map<string, number>();
    const given = Array.from({ length: 60 }, (_, n) =>
      merging(
        n,
        Array.from({ length: random.int(1, 6) }, (): Record3 => {
          const partial = averaging ? [random.int(-9, 9), random.int(1, 3)] : random.pick([0, 1, -2, 3, 13]);
          return [`k${random.int(0, 8)}`, partial, NOW + random.int(0, 99)];
        }),
        { producer: random.pick([P, Q]) },
      ),
    );
    for (let n = 0; n < 60; n++) {
      apply(shard, ...Array.from({ length: random.int(1, 4) }, () => random.pick(given.slice(0, n + 1))));
      const commit = new Set<string>();
      for (const { data } of eventsOf(takeOutbox(shard))) {
        const { key, value, previous = 0 } = data as KeyedResult<number>;
        expect(commit.has(key)).toBe(false);
        commit.add(key);
        expect(previous).toBe(latest.get(key) ?? 0);
        latest.set(key, value);
        added.set(key, (added.get(key) ?? 0) + value - previous);
      }
      // What was handed over and not confirmed in a commit goes out again; here it is the same to confirm once more.
      if (random.chance(0.3)) {
        shard = shardOver(store, plan, { limits });
        for (const { destination, sequence } of shard.outbox.entries())
          shard.confirm(destination, sequence + 1);
      }
    }
    const view = viewOf(shard) as Record<string, number>;
    expect(Object.fromEntries([...latest].sort(([a], [b]) => (a < b ? -1 : 1)))).toEqual(view);
    for (const [key, value] of Object.entries(view)) expect(added.get(key)).toBeCloseTo(value, 9);
    expect(lettersOf(shard).length > 0).toBe(!averaging);
  },
);
