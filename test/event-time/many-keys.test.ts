/** A window of many keys in one shard: it fires in several commits, each key once, over crashes and full outboxes. */
import { describe, expect, test } from "vitest";
import { VirtualClock } from "../../src/clock.ts";
import { packPartial } from "../../src/engine/segment.ts";
import { advance } from "../../src/engine/shard/advance.ts";
import type { Shard } from "../../src/engine/shard/shard.ts";
import { fireEventTimers, fireTimers, nextTimerOf } from "../../src/engine/shard/timers.ts";
import { readWindows } from "../../src/engine/shard/window-reader.ts";
import type { WindowOptions, WindowResult } from "../../src/index.ts";
import { count, Job, planJobs, tumbling } from "../../src/index.ts";
import { MemoryStore } from "../../src/state/memory-store.ts";
import { eventsOf, Nowhere, takeOutbox } from "../engine/shard/support.ts";
import { call, NOW, Records, segment, shardOver } from "../engine/support.ts";
import { Crash, CrashingStore } from "../simulation/crashing-store.ts";

const KEYS = 10_000;
const WINDOW = { start: 0, end: 1_000 };

function windowPlan(options?: WindowOptions) {
  const job = new Job("job");
  job
    .addSource(new Records("records", { watermarks: "explicit" }))
    .keyBy(({ key }) => key)
    .window(tumbling(1_000), options)
    .aggregate("counts", count(), { shards: 1 })
    .addSink(new Nowhere("nowhere"));
  return planJobs([job]);
}

const plan = windowPlan();

/** 10,000 keys, each with its number of events, in one window. */
function fill(shard: Shard) {
  const keys = Array.from({ length: KEYS }, (_, n) => [`k${n}`, packPartial(WINDOW, 1 + (n % 7))] as const);
  for (let from = 0, sequence = 0; from < KEYS; from += 2_500, sequence++) {
    const records = keys.slice(from, from + 2_500).flatMap(([key, partial]) => [key, partial, 1]);
    shard.apply(call([segment(sequence, {}, { records, events: 2_500 })]));
  }
}

function tell(shard: Shard, watermark: number) {
  return advance(plan, shard, { ...call([]), watermark });
}

/** Results by key, of those that were handed over. */
function resultsOf(entries: Parameters<typeof eventsOf>[0]): [string, number, string][] {
  return eventsOf(entries).map(({ data }) => {
    const { key, value, pane } = data as WindowResult<number>;
    return [key, value, `${pane.index} ${pane.timing}`];
  });
}

const all = Array.from({ length: KEYS }, (_, n): [string, number, string] => [
  `k${n}`,
  1 + (n % 7),
  "0 on-time",
]);
const sorted = (rows: readonly [string, number, string][]) =>
  rows.toSorted(([a], [b]) => Number(a.slice(1)) - Number(b.slice(1)));

test("fires each key once, in several commits", () => {
  const shard = shardOver(new MemoryStore(), plan);
  fill(shard);
  const { lsn } = shard;
  expect(tell(shard, 998)).toMatchObject({ watermark: 998, wanted: 999 });
  expect(shard.outbox.size).toBe(0);
  const reply = tell(shard, 999);
  expect(shard.lsn - lsn).toBeGreaterThan(4);
  expect(reply).toEqual({ watermark: 999 });
  expect(sorted(resultsOf(takeOutbox(shard)))).toEqual(all);
  expect(tell(shard, 5_000)).toEqual({ watermark: 5_000 });
  expect(shard.outbox.size).toBe(0);
});

/** Takes what waits to be handed over; what was handed over before, and is again after a crash, counts once. */
function hear(shard: Shard, heard: Map<string, [string, number, string][]>): void {
  for (const entry of takeOutbox(shard))
    heard.set(`${entry.destination} ${entry.sequence}`, resultsOf([entry]));
}

test("a full outbox stops it in between; it goes on when that is empty, and what is downstream waits", () => {
  const store = new MemoryStore();
  const wake = () => shardOver(store, plan, { limits: { outboxBytes: 20_000 } });
  const heard = new Map<string, [string, number, string][]>();
  let shard = wake();
  fill(shard);
  let stops = 0;
  for (;;) {
    const { watermark } = tell(shard, 5_000);
    const isLeft = nextTimerOf(shard, "event") !== undefined;
    expect(watermark).toBe(isLeft ? 998 : 5_000);
    expect(shard.busy).toBe(true);
    hear(shard, heard);
    if (!isLeft) break;
    stops++;
    // Thrown away and woken anew: what it has handed over is there again.
    shard = wake();
    hear(shard, heard);
  }
  expect(stops).toBeGreaterThan(3);
  expect(sorted([...heard.values()].flat())).toEqual(all);
});

describe("a crash at any write", () => {
  test("repeats nothing and leaves nothing out", () => {
    const inner = new MemoryStore();
    let crashes = 0;
    fill(shardOver(inner, plan));
    const store = new CrashingStore(inner);
    const heard = new Map<string, [string, number, string][]>();
    for (let writes = 0; ; writes++) {
      store.writesLeft = writes % 3;
      try {
        const shard = shardOver(store, plan);
        tell(shard, 999);
        while (fireEventTimers(shard));
        break;
      } catch (error) {
        if (!(error instanceof Crash)) throw error;
        crashes++;
      }
    }
    hear(shardOver(inner, plan), heard);
    expect(crashes).toBeGreaterThan(2);
    expect(sorted([...heard.values()].flat())).toEqual(all);
  });
});

test("dropping them takes several commits too, and leaves no rows of state", () => {
  const store = new MemoryStore();
  const clock = new VirtualClock(NOW);
  const shard = shardOver(store, plan, { clock });
  fill(shard);
  tell(shard, 999);
  takeOutbox(shard);
  expect(shard.counters.keys).toBe(KEYS);
  clock.advance(86_400_000 - 1);
  expect(fireTimers(shard, clock.now())).toBe(false);
  expect(readWindows(shard, { limit: 5 }).length).toBe(5);
  clock.advance(1);
  const { lsn } = shard;
  while (fireTimers(shard, clock.now()));
  expect(shard.lsn - lsn).toBeGreaterThan(4);
  expect(shard.counters.keys).toBe(0);
  shard.checkpoint();
  const woken = shardOver(store, plan, { clock });
  expect(readWindows(woken, { limit: 5 })).toEqual([]);
  expect([...woken.state.entries({})]).toEqual([]);
  expect([...woken.timers.entries()]).toEqual([]);
});

test("what comes late to a window that is firing is shown after it, once", () => {
  const lateness = windowPlan({ lateness: 10_000 });
  const shard = shardOver(new MemoryStore(), lateness);
  fill(shard);
  advance(lateness, shard, { ...call([]), watermark: 999 });
  takeOutbox(shard);
  const one = ["k5", packPartial(WINDOW, 1), 1];
  shard.apply(call([segment(99, {}, { records: one, events: 1 })]));
  expect(resultsOf(takeOutbox(shard))).toEqual([["k5", 7, "1 late"]]);
});
