/** Erase: nothing of a forgotten key is left in any row of a shard, everything else stays as it was, whatever crashes. */
import { describe, expect, test } from "vitest";
import { VirtualClock } from "../../src/clock.ts";
import { forgetKey, wipe } from "../../src/engine/shard/erase.ts";
import { readKey, readTop, readTotals } from "../../src/engine/shard/reader.ts";
import { Redrive } from "../../src/engine/shard/redrive.ts";
import type { Shard, ShardLimits } from "../../src/engine/shard/shard.ts";
import { fireTimers, nextTimerOf } from "../../src/engine/shard/timers.ts";
import type { Collector, Event, Plan, ProcessContext, Timer } from "../../src/index.ts";
import { count, Job, ProcessFunction, planJobs } from "../../src/index.ts";
import { PageCache } from "../../src/state/page-cache.ts";
import type { TopIndex } from "../../src/state/top-index.ts";
import { Crash, CrashingStore } from "../simulation/crashing-store.ts";
import { SearchedStore } from "./every-byte.ts";
import { call, countJob, NOW, operatorOf, Records, segment, shardOver, viewOf } from "./support.ts";

/** So long that a few thousand take several pages. */
function longKey(n: number): string {
  return `user-${String(n).padStart(5, "0")}-${"x".repeat(60)}@example.org`;
}

function erase(shard: Shard, key: string) {
  const forgotten = forgetKey(shard, key);
  return { ...forgotten, ...wipe(shard) };
}

function thresholdOf(top: TopIndex): string {
  return (top.toJSON() as { threshold: { key: string } }).threshold.key;
}

function totalOf(view: Readonly<Record<string, unknown>>): number {
  return Object.values(view).reduce((sum: number, value) => sum + (value as number), 0);
}

describe("a view of counts", () => {
  const plan = countJob();

  function filled(store: SearchedStore, keys: number): Shard {
    const shard = shardOver(store, plan, { limits: { checkpointCommits: 3, checkpointStepPages: 2 } });
    for (let sequence = 0; sequence < 12; sequence++) {
      const counts: Record<string, number> = {};
      for (let n = sequence % 3; n < keys; n += 3) counts[longKey(n)] = 1 + ((n * 7 + sequence) % 5);
      shard.apply(call([segment(sequence, counts, { before: 0 })]));
    }
    return shard;
  }

  test("loses the key and keeps everybody else, also where the key named a page or the end of the top", () => {
    const store = new SearchedStore();
    const shard = filled(store, 3000);
    shard.checkpoint();
    const firsts = store
      .listPages("state")
      .map(({ first }) => first)
      .filter((first) => first !== "");
    expect(firsts.length).toBeGreaterThan(3);
    const kept = viewOf(shard);
    for (const key of [...firsts, thresholdOf(shard.top), longKey(0), longKey(2999), longKey(1234)]) {
      expect(store.rowsWith(key).length).toBeGreaterThan(0);
      const value = kept[key];
      delete kept[key];
      expect(value === undefined ? 0 : 1).toBe(erase(shard, key).keys);
      expect(store.rowsWith(key)).toEqual([]);
      expect(readKey(shard, key)).toBeUndefined();
    }
    const reopened = shardOver(store, plan, { cache: new PageCache(0) });
    for (const shardNow of [shard, reopened]) {
      expect(viewOf(shardNow)).toEqual(kept);
      expect(readTotals(shardNow)).toEqual({
        keys: Object.keys(kept).length,
        total: totalOf(kept),
        overflow: 0,
      });
      const ranked = Object.entries(kept).sort(
        (a, b) => (b[1] as number) - (a[1] as number) || (a[0] < b[0] ? -1 : 1),
      );
      const top = readTop(shardNow, 1000).map(({ key, value }) => [key, value]);
      expect(top).toEqual(ranked.slice(0, 1000));
    }
  });

  test("counts a key that comes back from nothing, and can forget it again", () => {
    const store = new SearchedStore();
    const shard = shardOver(store, plan);
    shard.apply(call([segment(0, { alice: 5, bob: 2 })]));
    expect(erase(shard, "alice")).toMatchObject({ keys: 1, deadLetters: 0 });
    expect(erase(shard, "alice")).toMatchObject({ keys: 0 });
    shard.apply(call([segment(0, { alice: 5, bob: 2 }), segment(1, { alice: 3 })]));
    expect(viewOf(shardOver(store, plan))).toEqual({ alice: 3, bob: 2 });
    expect(erase(shard, "alice").keys).toBe(1);
    expect(store.rowsWith("alice")).toEqual([]);
    expect(viewOf(shardOver(store, plan))).toEqual({ bob: 2 });
    expect(shard.counters.flows).toEqual({ records: { applied: 10, late: 0, dead: 0, duplicates: 1 } });
  });

  test("that was never used stays unused, and a key that it has never seen is no error", () => {
    const store = new SearchedStore();
    const shard = shardOver(store, plan);
    expect(erase(shard, "nobody")).toEqual({ keys: 0, timers: 0, deadLetters: 0, redriving: [], rows: 0 });
    expect(store.rowsWritten).toBe(0);
    shard.apply(call([segment(0, { bob: 2 })]));
    expect(erase(shard, "nobody")).toMatchObject({ keys: 0, rows: 1 });
    expect(viewOf(shardOver(store, plan))).toEqual({ bob: 2 });
  });

  test("wipes a record of the checkpoint that was longer before", () => {
    const store = new SearchedStore();
    // An index that takes several rows, since its keys are that long.
    const key = (n: number) => `${n}-${"k".repeat(100_000)}`;
    const shard = shardOver(store, plan);
    for (let n = 0; n < 50; n++) shard.apply(call([segment(n, { [key(n)]: 1 })]));
    shard.checkpoint();
    const last = key(49);
    expect(store.rowsWith(last).some((row) => row.startsWith("meta checkpoint/"))).toBe(true);
    for (let n = 10; n < 50; n++) forgetKey(shard, key(n));
    wipe(shard);
    expect(store.rowsWith(last)).toEqual([]);
    expect(Object.keys(viewOf(shardOver(store, plan)))).toHaveLength(10);
  });

  test("loses nothing and keeps nothing whichever write is its last, once it is done again", () => {
    const crashes = new Set<string>();
    for (let writes = 0; ; writes++) {
      const inner = new SearchedStore();
      filled(inner, 400);
      const before = viewOf(shardOver(inner, plan));
      const { [longKey(7)]: value, ...rest } = before;
      expect(value).toBeTypeOf("number");
      const store = new CrashingStore(inner);
      store.writesLeft = writes;
      let crashed = false;
      try {
        erase(shardOver(store, plan), longKey(7));
      } catch (error) {
        if (!(error instanceof Crash)) throw error;
        crashed = true;
      }
      if (!crashed) break;
      const survivor = shardOver(inner, plan);
      crashes.add(readKey(survivor, longKey(7)) === undefined ? "after" : "before");
      erase(survivor, longKey(7));
      expect(inner.rowsWith(longKey(7))).toEqual([]);
      const reopened = shardOver(inner, plan);
      expect(viewOf(reopened)).toEqual(rest);
      expect(readTotals(reopened).total).toBe(totalOf(rest));
      expect(readTotals(reopened).keys).toBe(399);
    }
    expect([...crashes].sort()).toEqual(["after", "before"]);
  });
});

/** Counts a user's visits, and remembers him for a while. */
class Visits extends ProcessFunction<{ key: string }, string> {
  apply(_event: Event<{ key: string }>, _collector: Collector<string>, context: ProcessContext): void {
    const visits = context.state.value<number>("visits");
    visits.set((visits.get() ?? 0) + 1);
    context.state.value<string>("kept", { ttl: 5_000 }).set("for a while");
    context.timers.set("gone", context.now + 1_000);
    context.timers.set("long gone", context.now + 9_000);
  }

  override onTimer({ key, name }: Timer): void {
    if (key === "alice" && name === "gone") throw new Error("she is not gone");
  }
}

function visitsPlan(): Plan {
  const job = new Job("job");
  const records = job.addSource(new Records("records"));
  records.keyBy(({ key }) => key).applyOperator(new Visits("counts", { shards: 1 }));
  return planJobs([job]);
}

describe("a process function", () => {
  const plan = visitsPlan();

  function event(sequence: number, key: string) {
    return segment(sequence, {}, { records: [key, [`e${sequence}`, NOW, { key }], 1], events: 1 });
  }

  test("loses the key's state, its timers, and the letters of timers that failed", () => {
    const store = new SearchedStore();
    const clock = new VirtualClock(NOW);
    const shard = shardOver(store, plan, { clock });
    shard.apply(call([event(0, "alice"), event(1, "bob"), event(2, "alice")]));
    clock.advance(1_000);
    fireTimers(shard, clock.now());
    shard.checkpoint();
    expect(store.listDeadLetters(0, 10)).toHaveLength(1);
    // Her timer is set again, but the letter's row is still there.
    new Redrive(plan, shard, [1]);
    const erased = erase(shard, "alice");
    expect(erased).toMatchObject({ keys: 1, timers: 3, deadLetters: 1, redriving: [] });
    expect(store.rowsWith("alice")).toEqual([]);
    const reopened = shardOver(store, plan, { clock });
    expect(viewOf(reopened)).toEqual({ bob: { visits: 1, kept: "for a while" } });
    expect(readTotals(reopened).keys).toBe(1);
    expect(nextTimerOf(reopened)).toBe(NOW + 5_000);
    clock.advance(60_000);
    fireTimers(reopened, clock.now());
    expect(nextTimerOf(reopened)).toBeUndefined();
    expect(viewOf(reopened)).toEqual({ bob: { visits: 1 } });
  });

  test("loses a key that has been gone for long, whose traces are in the log only", () => {
    const store = new SearchedStore();
    const shard = shardOver(store, plan);
    shard.apply(call([event(0, "alice"), event(1, "bob")]));
    forgetKey(shard, "alice");
    expect(store.rowsWith("alice").length).toBeGreaterThan(0);
    expect(erase(shard, "alice").keys).toBe(0);
    expect(store.rowsWith("alice")).toEqual([]);
  });
});

describe("dead letters", () => {
  const broken = {
    ...count(),
    merge: (left: number, right: unknown) => {
      if (right === "bad") throw new Error("cannot merge bad");
      return left + (right as number);
    },
  };
  const job = new Job("job");
  job
    .addSource(new Records("records"))
    .map((record) => record, "mapped")
    .keyBy(({ key }) => key)
    .aggregate("counts", broken as never, { shards: 1 });
  const plan = planJobs([job]);

  function withLetters(store: SearchedStore, limits: Partial<ShardLimits> = {}): Shard {
    const shard = shardOver(store, plan, { limits });
    const dead = {
      operator: "mapped",
      error: "broken",
      n: 2,
      event: { id: "e", time: NOW, key: "alice", data: { key: "alice" } },
    };
    const other = { ...dead, event: { ...dead.event, key: "bob", data: { key: "bob" } } };
    const records = ["alice", "bad", 3, "alice", 4, 4, "bob", "bad", 1, "bob", 2, 2];
    shard.apply(call([segment(0, {}, { records, dead: [dead, other], events: 14 })]));
    return shard;
  }

  test("of the key go, and what they stood for counts as applied", () => {
    const store = new SearchedStore();
    const shard = withLetters(store);
    expect(shard.counters.flows.records).toMatchObject({ applied: 6, dead: 8 });
    expect(erase(shard, "alice")).toMatchObject({ keys: 1, deadLetters: 2, redriving: [] });
    expect(store.rowsWith("alice")).toEqual([]);
    const reopened = shardOver(store, plan);
    expect(reopened.counters.flows.records).toMatchObject({ applied: 11, dead: 3 });
    expect(viewOf(reopened)).toEqual({ bob: 2 });
    expect(store.listDeadLetters(0, 10)).toHaveLength(2);
    expect(reopened.counters.total).toBe(2);
  });

  test("that are being sent again are sent first, then they go", () => {
    const store = new SearchedStore();
    const shard = withLetters(store);
    const numbers = store.listDeadLetters(0, 10).map(({ number }) => number);
    // Released, and the sender died.
    new Redrive(plan, shard, numbers);
    expect(shard.counters.flows.records).toMatchObject({ applied: 6, dead: 0 });
    const forgotten = forgetKey(shard, "alice");
    expect(forgotten).toMatchObject({ keys: 1, deadLetters: 0 });
    expect(forgotten.redriving).toHaveLength(2);
    const again = new Redrive(plan, shard, forgotten.redriving);
    expect(again.sends).toHaveLength(2);
    again.finish();
    expect(forgetKey(shard, "alice", true)).toMatchObject({ keys: 0, deadLetters: 0, redriving: [] });
    wipe(shard);
    expect(store.rowsWith("alice")).toEqual([]);
    expect(store.listDeadLetters(0, 10)).toHaveLength(2);
  });

  test("that cannot be sent again go without", () => {
    const store = new SearchedStore();
    const shard = withLetters(store);
    new Redrive(plan, shard, [1, 2, 3, 4]);
    expect(forgetKey(shard, "alice", true)).toMatchObject({ keys: 1, deadLetters: 2 });
    expect(shard.counters.flows.records).toMatchObject({ applied: 6, dead: 0 });
    wipe(shard);
    expect(store.rowsWith("alice")).toEqual([]);
  });

  test("go once, whichever write is the last", () => {
    for (let writes = 0; ; writes++) {
      const inner = new SearchedStore();
      withLetters(inner);
      const store = new CrashingStore(inner);
      store.writesLeft = writes;
      try {
        erase(shardOver(store, plan), "alice");
        break;
      } catch (error) {
        if (!(error instanceof Crash)) throw error;
      }
      erase(shardOver(inner, plan), "alice");
      expect(inner.rowsWith("alice")).toEqual([]);
      expect(shardOver(inner, plan).counters.flows.records).toMatchObject({ applied: 11, dead: 3 });
    }
  });
});

test("what a shard has emitted is handed over before it is wiped", () => {
  const job = new Job("job");
  const counts = job
    .addSource(new Records("records"))
    .keyBy(({ key }) => key)
    .aggregate("counts", count(), { shards: 1 });
  counts.keyBy(({ key }) => key).aggregate("changes", count(), { shards: 1 });
  const plan = planJobs([job]);
  const store = new SearchedStore();
  const shard = shardOver(store, plan);
  const times = [NOW, NOW];
  shard.apply(call([segment(0, { alice: 5, bob: 2 }, { times })]));
  shard.checkpoint();
  expect(forgetKey(shard, "alice").keys).toBe(1);
  const first = wipe(shard);
  expect(first).toEqual({
    rows: 0,
    marks: { channels: { "changes/0": 1 } },
    waitingFor: "outputs on their way to changes/0",
  });
  // A checkpoint's record holds the output too, until there is another record.
  shard.checkpoint();
  expect(store.rowsWith("alice")).toContain("meta checkpoint");
  // What is emitted meanwhile is none of its business.
  shard.apply(call([segment(1, { bob: 1 }, { times: [NOW] })]));
  expect(wipe(shard, first.marks).waitingFor).toBeDefined();
  shard.confirm("changes/0", 1);
  expect(store.rowsWith("alice").length).toBeGreaterThan(0);
  expect(wipe(shard, first.marks)).toEqual({ rows: 3 });
  expect(store.rowsWith("alice")).toEqual([]);
  const reopened = shardOver(store, plan);
  expect(reopened.outbox.size).toBe(1);
  expect(viewOf(reopened)).toEqual({ bob: 3 });
  expect(operatorOf(plan).outputs.targets.map(({ name }) => name)).toEqual(["changes"]);
});

test("what was confirmed since the last checkpoint is wiped from its record, though nothing else has changed", () => {
  const job = new Job("job");
  const counts = job
    .addSource(new Records("records"))
    .keyBy(({ key }) => key)
    .aggregate("counts", count(), { shards: 1 });
  counts.keyBy(({ key }) => key).aggregate("changes", count(), { shards: 1 });
  const store = new SearchedStore();
  const shard = shardOver(store, planJobs([job]));
  shard.apply(call([segment(0, { alice: 5 }, { times: [NOW] })]));
  forgetKey(shard, "alice");
  shard.checkpoint();
  shard.confirm("changes/0", 1);
  expect(shard.checkpointLsn).toBe(shard.lsn);
  wipe(shard);
  expect(store.rowsWith("alice")).toEqual([]);
});

test("a call that was refused leaves nothing behind that the next commit would emit", () => {
  const job = new Job("job", { onError: "fail" });
  const fragile = {
    ...count(),
    merge: (left: number, right: unknown) => {
      if (right === "bad") throw new Error("cannot merge bad");
      return left + (right as number);
    },
  };
  job
    .addSource(new Records("records"))
    .keyBy(({ key }) => key)
    .aggregate("counts", fragile as never, { shards: 1 })
    .keyBy(({ key }) => key)
    .aggregate("changes", count(), { shards: 1 });
  const store = new SearchedStore();
  const shard = shardOver(store, planJobs([job]));
  shard.apply(call([segment(0, { bob: 2 }, { times: [NOW] })]));
  shard.confirm("changes/0", 1);
  const refused = segment(
    1,
    {},
    { records: ["alice", 5, 5, "carol", "bad", 1], times: [NOW, NOW], events: 6 },
  );
  expect(() => shard.apply(call([refused]))).toThrow("cannot merge bad");
  expect(forgetKey(shard, "bob").keys).toBe(1);
  expect(shard.outbox.size).toBe(0);
  expect(store.rowsWith("alice")).toEqual([]);
});
