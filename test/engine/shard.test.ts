/** Shard: each segment counts once, whatever repeats, crashes or wakes up, and what cannot be applied is accounted for. */
import { describe, expect, test } from "vitest";
import { VirtualClock } from "../../src/clock.ts";
import { ProducerKind } from "../../src/engine/segment.ts";
import type { DeadLetter, ShardCall } from "../../src/engine/shard/protocol.ts";
import { readApplied, readKey, readStats, readTop, readTotals } from "../../src/engine/shard/reader.ts";
import type { Shard, ShardLimits } from "../../src/engine/shard/shard.ts";
import { ShardRefusedError, StateError } from "../../src/errors.ts";
import type { Aggregator } from "../../src/index.ts";
import { average, count, sum } from "../../src/index.ts";
import { MemoryStore } from "../../src/state/memory-store.ts";
import { CrashingStore } from "../simulation/crashing-store.ts";
import { Random } from "../simulation/random.ts";
import { call, countJob, NOW, P, Q, segment, shardOver, viewOf } from "./support.ts";

const plan = countJob();
const LIMITS: readonly Partial<ShardLimits>[] = [
  {},
  ...[1, 2, 3, 4, 5].map((checkpointCommits) => ({ checkpointCommits, checkpointStepPages: 1, logRows: 8 })),
  { checkpointCommits: 1000, logRows: 2 },
  { checkpointKeys: 1, checkpointStepPages: 1, logRows: 1 },
  { checkpointBytes: 1, logRows: 3 },
];

/** All that can be seen of a shard. */
function seen(shard: Shard): unknown {
  const {
    rowsWritten: _rows,
    pages: _pages,
    logRows: _log,
    checkpointLsn: _checkpoint,
    appliedBytes: _bytes,
    used: _used,
    ...stats
  } = readStats(shard);
  return { view: viewOf(shard), top: readTop(shard, 5), totals: readTotals(shard), stats };
}

/** Calls with fresh, repeated and empty segments of two producers, in disorder. */
function someCalls(seed: number, calls = 25, keys = 30): ShardCall[] {
  const random = new Random(seed);
  const sent = Array.from({ length: calls * 3 }, (_, n) => {
    const producer = random.pick([P, Q]);
    const counts = Object.fromEntries(
      Array.from({ length: random.int(0, 4) }, () => [`/page/${random.int(0, keys)}`, random.int(1, 9)]),
    );
    return segment(n, counts, {
      producer,
      dropped: random.int(0, 1),
      kind: producer === P ? ProducerKind.isolate : ProducerKind.client,
    });
  });
  return Array.from({ length: calls }, (_, n) => {
    const fresh = sent.slice(0, (n + 1) * 3);
    return call(Array.from({ length: random.int(1, 6) }, () => random.pick(fresh)));
  });
}

describe("a segment counts once", () => {
  test.each([
    ["in the same call", [[0, 0, 0]]],
    ["alone, again", [[0], [0], [0]]],
    [
      "in another batch",
      [
        [0, 1],
        [2, 0],
        [1, 2, 0],
      ],
    ],
    ["out of order", [[2], [1], [0], [2, 1, 0]]],
    ["with a gap that closes late", [[5], [3], [4], [0, 1], [2], [5, 4, 3, 2, 1, 0]]],
  ] as const)("%s", (_what, batches) => {
    const shard = shardOver(new MemoryStore(), plan);
    for (const batch of batches)
      shard.apply(call(batch.map((sequence) => segment(sequence, { a: 1, [`s${sequence}`]: 1 }))));
    const distinct = new Set(batches.flat());
    expect(viewOf(shard)).toEqual({
      a: distinct.size,
      ...Object.fromEntries([...distinct].map((sequence) => [`s${sequence}`, 1])),
    });
    const copies = batches.flat().length - distinct.size;
    expect(readTotals(shard)).toEqual({ keys: distinct.size + 1, total: distinct.size * 2, overflow: 0 });
    // Duplicates that had nothing to ride with are told with the next commit.
    shard.apply(call([segment(99, { a: 1 })]));
    expect(shard.counters.flows.records).toEqual({
      applied: distinct.size * 2 + 1,
      late: 0,
      dead: 0,
      duplicates: copies,
    });
  });

  test("the same number of another producer is another segment", () => {
    const shard = shardOver(new MemoryStore(), plan);
    shard.apply(call([segment(0, { a: 1 }), segment(0, { a: 1 }, { producer: Q })]));
    expect(viewOf(shard)).toEqual({ a: 2 });
  });

  test("the reply says what was applied and what was not", () => {
    const shard = shardOver(new MemoryStore(), plan);
    expect(shard.apply(call([]))).toEqual({
      lsn: 0,
      applied: 0,
      duplicates: 0,
      forgotten: [],
      unreadable: [],
    });
    expect(shard.apply(call([segment(0, { a: 1 }), segment(1, {})]))).toEqual({
      lsn: 1,
      applied: 1,
      duplicates: 0,
      forgotten: [],
      unreadable: [],
    });
    expect(shard.apply(call([segment(0, { a: 1 }), segment(1, {})]))).toEqual({
      lsn: 1,
      applied: 0,
      duplicates: 1,
      forgotten: [],
      unreadable: [],
    });
    expect(
      readApplied(
        shard,
        [0, 1, 2].map((sequence) => ({ producer: P, sequence })),
      ),
    ).toEqual([true, true, false]);
  });
});

describe("rows written", () => {
  test("a call is one row, however many keys; a call of duplicates or nothing is none", () => {
    const store = new MemoryStore();
    const shard = shardOver(store, plan, { limits: { checkpointCommits: 1000 } });
    shard.apply(call([segment(0, { a: 1 })]));
    const born = store.rowsWritten;
    shard.apply(
      call([
        segment(1, Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`k${n}`, 1]))),
        segment(2, { b: 1 }),
      ]),
    );
    expect(store.rowsWritten - born).toBe(1);
    shard.apply(call([segment(1, { b: 1 }), segment(3, {})]));
    shard.apply(call([]));
    expect(store.rowsWritten - born).toBe(1);
  });

  test("looking at a shard that was never used writes nothing", () => {
    const store = new MemoryStore();
    const shard = shardOver(store, plan);
    expect([readKey(shard, "a"), readTop(shard, 10), readTotals(shard)]).toEqual([
      undefined,
      [],
      { keys: 0, total: 0, overflow: 0 },
    ]);
    expect(store.rowsWritten).toBe(0);
  });
});

describe("waking up", () => {
  test.each(LIMITS.map((limits, n) => [n, limits] as const))(
    "after every call comes to the same as never sleeping (limits %i)",
    (_n, limits) => {
      for (const seed of [1, 2, 3]) {
        const calls = someCalls(seed);
        const undisturbed = shardOver(new MemoryStore(), plan, { limits });
        const store = new MemoryStore();
        for (const one of calls) {
          const awake = undisturbed.apply(one);
          const woken = shardOver(store, plan, { limits });
          // What it holds nothing of is forgotten by a sleep: that costs a bit, and no count.
          expect({ ...woken.apply(one), duplicates: 0 }).toEqual({ ...awake, duplicates: 0 });
          expect(viewOf(shardOver(store, plan, { limits }))).toEqual(viewOf(undisturbed));
        }
        const woken = shardOver(store, plan, { limits });
        expect(readTotals(woken)).toEqual(readTotals(undisturbed));
        expect(readTop(woken, 5)).toEqual(readTop(undisturbed, 5));
        expect(woken.counters.flows.records?.applied).toBe(undisturbed.counters.flows.records?.applied);
        expect(readStats(woken).producers).toEqual(readStats(undisturbed).producers);
      }
    },
  );

  test("in the middle of a checkpoint of many pages", () => {
    const limits = { checkpointCommits: 3, checkpointStepPages: 1, logRows: 6 };
    const long = "x".repeat(900);
    const random = new Random(5);
    const store = new MemoryStore();
    const undisturbed = shardOver(new MemoryStore(), plan);
    let shard = shardOver(store, plan, { limits });
    let steps = 0;
    for (let n = 0; n < 60; n++) {
      const one = call([
        segment(
          n,
          Object.fromEntries(Array.from({ length: 20 }, () => [`/${random.int(0, 300)}/${long}`, 1])),
        ),
      ]);
      undisturbed.apply(one);
      shard.apply(one);
      if (shard.checkpointLsn < shard.lsn) steps++;
      if (random.chance(0.4)) {
        shard = shardOver(store, plan, { limits });
        expect(viewOf(shard)).toEqual(viewOf(undisturbed));
      }
    }
    expect(shard.state.pages).toBeGreaterThan(4);
    expect(steps).toBeGreaterThan(20);
    expect(seen(shard)).toEqual(seen(undisturbed));
  });

  test("a checkpoint by hand leaves nothing to replay, twice too", () => {
    const store = new MemoryStore();
    const shard = shardOver(store, plan);
    for (const one of someCalls(4)) shard.apply(one);
    const before = seen(shard);
    shard.checkpoint();
    shard.checkpoint();
    expect([shard.checkpointLsn, shard.log.rows]).toEqual([shard.lsn, 0]);
    expect(seen(shard)).toEqual(before);
    expect(seen(shardOver(store, plan))).toEqual(before);
  });
});

describe("a crash at any write", () => {
  test.each(LIMITS.map((limits, n) => [n, limits] as const))(
    "loses nothing and doubles nothing, once the call comes again (limits %i)",
    (_n, limits) => {
      const calls = someCalls(9, 12);
      const undisturbed = shardOver(new MemoryStore(), plan, { limits });
      for (const one of calls) undisturbed.apply(one);
      let crashes = 0;
      for (const how of ["writesLeft", "transactionsLeft"] as const) {
        for (let k = how === "writesLeft" ? 0 : 1; ; k++) {
          const store = new CrashingStore(new MemoryStore());
          store[how] = k;
          let crashed = false;
          let shard = shardOver(store, plan, { limits });
          for (const one of calls) {
            try {
              shard.apply(one);
            } catch {
              crashed = true;
              shard = shardOver(store, plan, { limits });
              shard.apply(one);
            }
          }
          expect(viewOf(shard)).toEqual(viewOf(undisturbed));
          const woken = shardOver(store, plan, { limits });
          expect(viewOf(woken)).toEqual(viewOf(undisturbed));
          expect(readTotals(woken)).toEqual(readTotals(undisturbed));
          expect(woken.counters.flows.records?.applied).toBe(undisturbed.counters.flows.records?.applied);
          if (!crashed) break;
          crashes++;
        }
      }
      expect(crashes).toBeGreaterThan(10);
    },
  );

  test("leaves no dead letter behind of a commit that did not happen", () => {
    const store = new CrashingStore(new MemoryStore());
    const dead = { operator: "map", error: "bad", event: { id: "1", time: 5, data: {} }, n: 1 };
    const one = call([segment(0, { a: 1 }, { dead: [dead, dead] })]);
    for (const writesLeft of [0, 1, 2, 3]) {
      store.writesLeft = writesLeft;
      expect(() => shardOver(store, plan).apply(one)).toThrow();
      expect(store.listDeadLetters(0, 10)).toEqual([]);
    }
    store.calm();
    const shard = shardOver(store, plan);
    shard.apply(one);
    shard.apply(one);
    expect(store.listDeadLetters(0, 10).map(({ number }) => number)).toEqual([1, 2]);
    expect(shard.counters.flows.records).toMatchObject({ applied: 1, dead: 2 });
  });
});

describe("a shard refuses", () => {
  test.each([
    ["another generation", { generation: 2 }],
    ["another shard count", { shards: 2 }],
    ["another shard", { shard: 1 }],
    ["another operator", { operator: "other" }],
    ["another version of the call", { v: 2 }],
  ])("a call for %s, and nothing changes", (_what, more) => {
    const store = new MemoryStore();
    const shard = shardOver(store, plan);
    expect(() => shard.apply(call([segment(0, { a: 1 })], more))).toThrow(ShardRefusedError);
    expect([store.rowsWritten, viewOf(shard)]).toEqual([0, {}]);
    shard.apply(call([segment(0, { a: 1 })]));
    expect(viewOf(shard)).toEqual({ a: 1 });
  });

  test.each([
    [
      "another accumulator under the old name",
      countJob({ ...count(), signature: "average@1" }),
      /signature count@1, the job says average@1/,
    ],
    ["another shard count", countJob(count(), { shards: 2 }), /shards 1, the job says 2/],
    ["another generation", { ...plan, generation: 2 }, /generation 1, the job says 2/],
  ])("to wake up over the state of %s", (_what, other, message) => {
    const store = new MemoryStore();
    shardOver(store, plan).apply(call([segment(0, { a: 1 })]));
    const rows = store.rowsWritten;
    expect(() => shardOver(store, other)).toThrow(StateError);
    expect(() => shardOver(store, other)).toThrow(message);
    expect(store.rowsWritten).toBe(rows);
    expect(viewOf(shardOver(store, plan))).toEqual({ a: 1 });
  });

  test("to wake up as another shard of its operator", () => {
    const two = countJob(count(), { shards: 2 });
    const store = new MemoryStore();
    shardOver(store, two).apply(call([segment(0, { a: 1 })], { shards: 2 }));
    expect(() => shardOver(store, two, { shard: 1 })).toThrow(/shard 0, the job says 1/);
  });

  test("stored bytes of an unknown format, whichever row they are in", () => {
    for (const row of ["checkpoint"]) {
      const store = new MemoryStore();
      const shard = shardOver(store, plan);
      shard.apply(call([segment(0, { a: 1 })]));
      shard.checkpoint();
      const bytes = store.readMeta(row) as Uint8Array;
      store.writeMeta(row, new Uint8Array([bytes[0] as number, 99, ...bytes.slice(2)]));
      expect(() => shardOver(store, plan)).toThrow(/format 99/);
    }
    const store = new MemoryStore();
    store.writeLog({ slot: 0, lsn: 1, part: 0, parts: 1, data: new TextEncoder().encode("[99,[],[],{}]") });
    expect(() => shardOver(store, plan)).toThrow(/format 99/);
  });
});

describe("what cannot be applied is a dead letter, and the rest of its segment proceeds", () => {
  type Any = Aggregator<{ key: string }, unknown, unknown>;
  const merging = (merge: (left: number, right: number) => unknown): Any =>
    ({
      ...count(),
      merge: (left, right) => merge(left as number, right as number),
    }) as Any;
  const throwing = merging((left, right) => {
    if (right === 13) throw new Error("thirteen");
    return left + right;
  });
  const bad = (value: unknown) => merging((left, right) => (right === 13 ? value : left + right));

  test.each<[string, Any]>([
    ["throws", throwing],
    ["gives NaN", bad(Number.NaN)],
    ["gives Infinity", bad(Number.POSITIVE_INFINITY)],
    ["gives undefined", bad(undefined)],
    ["gives null", bad(null)],
    ["gives a function", bad(() => 1)],
    ["gives a bigint", bad(13n)],
    ["gives NaN deep inside", bad({ a: [1, { b: Number.NaN }] })],
    ["gives a Map", bad(new Map([["a", 1]]))],
    [
      "gives something circular",
      bad(
        (() => {
          const circle: unknown[] = [];
          circle.push(circle);
          return circle;
        })(),
      ),
    ],
    ["gives too much text", bad("x".repeat(1_000_001))],
    ["gives text of too many bytes", bad("日".repeat(400_000))],
  ])("merge %s", (_what, aggregator) => {
    const store = new MemoryStore();
    const odd = countJob(aggregator);
    const shard = shardOver(store, odd);
    shard.apply(call([segment(0, { a: 1, b: 13, c: 2 }), segment(1, { a: 13 })]));
    expect(viewOf(shard)).toEqual({ a: 1, c: 2 });
    expect(shard.counters.flows.records).toMatchObject({ applied: 3, dead: 26 });
    const letters = store.listDeadLetters(0, 10).map(({ data }) => JSON.parse(data) as DeadLetter);
    expect(
      letters.map(({ source, operator, n, record, time }) => [source, operator, n, record, time]),
    ).toEqual([
      ["records", "counts", 13, { key: "b", partial: 13 }, NOW],
      ["records", "counts", 13, { key: "a", partial: 13 }, NOW],
    ]);
    expect(seen(shardOver(store, odd))).toEqual(seen(shard));
    shard.checkpoint();
    expect(seen(shardOver(store, odd))).toEqual(seen(shard));
  });

  test("merge that changes what is stored before it throws leaves it whole", () => {
    const careless: Any = {
      signature: "careless@1",
      create: () => ({ n: 0 }),
      add: (acc) => acc,
      merge: (left, right) => {
        (left as { n: number }).n += (right as { n: number }).n;
        if ((right as { n: number }).n === 13) throw new Error("thirteen");
        return left;
      },
      result: (acc) => (acc as { n: number }).n,
    };
    const store = new MemoryStore();
    const shard = shardOver(store, countJob(careless));
    shard.apply(call([segment(0, { a: { n: 1 } }), segment(1, { a: { n: 13 } })]));
    shard.apply(call([segment(2, { a: { n: 13 } })]));
    shard.checkpoint();
    shard.apply(call([segment(3, { a: { n: 13 } }), segment(4, { a: { n: 2 } })]));
    expect(viewOf(shard)).toEqual({ a: 3 });
    expect(viewOf(shardOver(store, countJob(careless)))).toEqual({ a: 3 });
  });

  test("a result that throws counts not at all; one that is no number spoils no total", () => {
    const moody: Any = {
      ...sum(() => 1),
      result: (acc) => {
        if (acc === 13) throw new Error("thirteen");
        return acc === 7 ? Number.NaN : acc;
      },
    } as Any;
    const store = new MemoryStore();
    const shard = shardOver(store, countJob(moody));
    shard.apply(call([segment(0, { a: 13, b: 7, c: 5 })]));
    expect(readTotals(shard)).toEqual({ keys: 2, total: 5, overflow: 0 });
    shard.apply(call([segment(1, { b: 1 })]));
    expect(readTotals(shardOver(store, countJob(moody)))).toEqual({ keys: 2, total: 13, overflow: 0 });
    expect(readTop(shard, 5)).toEqual([
      { key: "b", value: 8 },
      { key: "c", value: 5 },
    ]);
  });

  test("an average of numbers that overflow stays a number", () => {
    const store = new MemoryStore();
    const averages = countJob(average(() => 1));
    const shard = shardOver(store, averages);
    shard.apply(call([segment(0, { a: [1e308, 1] }), segment(1, { a: [1e308, 1] })]));
    expect(viewOf(shard)).toEqual({ a: 1e308 });
    expect(viewOf(shardOver(store, averages))).toEqual({ a: 1e308 });
  });

  test("the largest accumulators that are taken can be checkpointed, several of them too", () => {
    const texts: Any = {
      signature: "text@1",
      create: () => "",
      add: (acc) => acc,
      merge: (_left, right) => "日".repeat(right as number),
      result: (acc) => (acc as string).length,
    };
    const store = new MemoryStore();
    const shard = shardOver(store, countJob(texts), { limits: { checkpointCommits: 1 } });
    for (let n = 0; n < 5; n++) shard.apply(call([segment(n, { [`k${n}`]: 333_000, [`small${n}`]: 1 })]));
    shard.checkpoint();
    expect(readTotals(shardOver(store, countJob(texts)))).toEqual({
      keys: 10,
      total: 5 * 333_001,
      overflow: 0,
    });
  });
});

describe("a view's limit on its keys", () => {
  test("new keys beyond it are one overflow, known ones go on, and a sleep changes nothing", () => {
    const store = new MemoryStore();
    const small = countJob(count(), { shards: 1, maxKeys: 2 });
    for (let n = 0; n < 4; n++) {
      const shard = shardOver(store, small, { limits: { checkpointCommits: 2 } });
      shard.apply(call([segment(n, { a: 1, b: 1, [`c${n}`]: 2, [`d${n}`]: 3 })]));
    }
    const shard = shardOver(store, small);
    expect(viewOf(shard)).toEqual({ a: 4, b: 4 });
    expect(readTotals(shard)).toEqual({ keys: 2, total: 8, overflow: 20 });
    expect(shard.counters).toMatchObject({ overflow: 20, overflowEvents: 20 });
    expect(shard.counters.flows.records).toMatchObject({ applied: 28, dead: 0 });
  });
});

describe("forgetting", () => {
  test("a segment whose bit was given up is reported, not counted and not called a duplicate", () => {
    const store = new MemoryStore();
    const shard = shardOver(store, plan, { limits: { appliedBytes: 256 * 3 } });
    shard.apply(
      call([
        segment(1, { a: 1 }),
        segment(5_000, { a: 1 }),
        segment(9_000, { a: 1 }),
        segment(13_000, { a: 1 }),
      ]),
    );
    const reply = shard.apply(
      call([segment(0, { a: 1 }), segment(1, { a: 1 }), segment(2, {}), segment(20_000, { b: 1 })]),
    );
    expect(reply).toMatchObject({
      applied: 1,
      duplicates: 0,
      forgotten: [
        { producer: P, sequence: 0 },
        { producer: P, sequence: 1 },
      ],
    });
    expect(viewOf(shard)).toEqual({ a: 4, b: 1 });
    expect(
      shardOver(store, plan, { limits: { appliedBytes: 256 * 3 } }).apply(call([segment(1, { a: 1 })]))
        .applied,
    ).toBe(0);
  });

  test("a producer that was not seen for the retention is forgotten by a checkpoint, and no other", () => {
    const clock = new VirtualClock(NOW);
    const shard = shardOver(new MemoryStore(), plan, { clock });
    shard.apply(call([segment(0, { a: 1 })]));
    clock.advance(14 * 86_400_000);
    shard.apply(call([segment(0, { a: 1 }, { producer: Q, arrival: clock.now() })]));
    shard.checkpoint();
    expect(readStats(shard).producers.length).toBe(2);
    clock.advance(2 * 86_400_000);
    shard.checkpoint();
    expect(readStats(shard).producers.map(({ producer }) => producer)).toEqual([Q]);
  });
});

describe("counting what was accepted", () => {
  test("holds after a producer is forgotten, before and after the checkpoint that forgets it", () => {
    const clock = new VirtualClock(NOW);
    const store = new MemoryStore();
    shardOver(store, plan, { clock }).apply(call([segment(0, { a: 3 }, { events: 3 })]));
    clock.advance(16 * 86_400_000);
    const shard = shardOver(store, plan, { clock });
    shard.apply(call([segment(0, { a: 6 }, { events: 6, producer: Q, arrival: clock.now() })]));
    for (const each of [shard, checkpointed(shard), shardOver(store, plan, { clock })]) {
      const { producers, retired, flows } = readStats(each);
      expect(producers.map(({ counted }) => counted)).toEqual([6]);
      expect(retired).toEqual({ records: 3 });
      expect(flows.records?.applied).toBe(9);
    }
  });

  test("an isolate states what went before, in any order", () => {
    const shard = shardOver(new MemoryStore(), plan);
    const sent = [0, 1, 2, 3].map((n) => segment(n, { a: 5 }, { events: 5, before: n * 5 }));
    for (const n of [2, 0, 3, 3, 1]) shard.apply(call([sent[n] as (typeof sent)[number]]));
    expect(readStats(shard).producers).toEqual([{ producer: P, kind: 0, source: "records", counted: 20 }]);
  });

  test("a client's segments are counted by the shard that they are anchored in, once; a redrive's never", () => {
    const store = new MemoryStore();
    const client = (n: number, anchored: boolean) =>
      segment(n, { a: 3 }, { events: 3, kind: ProducerKind.client, anchored });
    for (const batch of [
      [client(0, true), client(1, false)],
      [client(0, true)],
      [client(4, true), client(2, true)],
    ]) {
      shardOver(store, plan).apply(
        call([...batch, segment(7, { a: 1 }, { producer: Q, events: 1, kind: ProducerKind.redrive })]),
      );
    }
    expect(
      readStats(shardOver(store, plan)).producers.map(({ producer, counted }) => [producer, counted]),
    ).toEqual([
      [P, 9],
      [Q, 0],
    ]);
  });

  test("sources are counted apart", () => {
    const shard = shardOver(new MemoryStore(), plan);
    shard.apply(call([segment(0, { a: 1 }), segment(0, { a: 2 }, { producer: Q, source: "constructor" })]));
    expect(Object.entries(shard.counters.flows).map(([source, { applied }]) => [source, applied])).toEqual([
      ["records", 1],
      ["constructor", 2],
    ]);
  });
});

function checkpointed(shard: Shard): Shard {
  shard.checkpoint();
  return shard;
}

test("a part that cannot be read is reported, nothing of it is applied, and its neighbours are", () => {
  const shard = shardOver(new MemoryStore(), plan);
  const broken = ["", "[", "[[],0]", '[["a",1],0,[]]', '[["a",1,-1],0,[]]', '[["a",1,1],"x",[]]', "null"];
  const segments = broken.map((content, n) => segment(n, { a: 1 }, { content }));
  const reply = shard.apply(call([...segments, segment(broken.length, { b: 2 })]));
  expect(reply).toMatchObject({ applied: 1, duplicates: 0 });
  expect(reply.unreadable.map(({ sequence }) => sequence)).toEqual(broken.map((_, n) => n));
  expect(viewOf(shard)).toEqual({ b: 2 });
  // Sent again whole, it counts: it was never marked as applied.
  shard.apply(call([segment(0, { a: 1 })]));
  expect(viewOf(shard)).toEqual({ a: 1, b: 2 });
});
