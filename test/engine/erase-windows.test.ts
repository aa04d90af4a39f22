/** Erase, in views of windows: no row of a shard holds a forgotten key: not in windows, session indexes, timers or the log. */
import { describe, expect, test } from "vitest";
import { packPartial } from "../../src/engine/segment.ts";
import { advance } from "../../src/engine/shard/advance.ts";
import { forgetKey, wipe } from "../../src/engine/shard/erase.ts";
import type { Shard } from "../../src/engine/shard/shard.ts";
import { fireTimers } from "../../src/engine/shard/timers.ts";
import { readWindows } from "../../src/engine/shard/window-reader.ts";
import type { Plan, WindowAssigner } from "../../src/index.ts";
import { afterCount, count, every, Job, planJobs, session, tumbling, VirtualClock } from "../../src/index.ts";
import type { WindowPlan } from "../../src/plan.ts";
import { Crash, CrashingStore } from "../simulation/crashing-store.ts";
import { SearchedStore } from "./every-byte.ts";
import { call, NOW, operatorOf, Records, segment, shardOver } from "./support.ts";

const ALICE = "alice@example.org";
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Panes of a key have timers, and its results a reader. */
function windowPlan(assigner: WindowAssigner<{ key: string }>, early = every("1 hour")): Plan {
  const job = new Job("job");
  const results = job
    .addSource(new Records("records"))
    .keyBy(({ key }) => key)
    .window(assigner, { early, lateness: "1 minute" })
    .aggregate("counts", count(), { shards: 1 });
  results.keyBy(() => "all").aggregate("reader", count(), { shards: 1 });
  return planJobs([job]);
}

/** One event; where events are combined, as what a source would make of it. */
function event(plan: Plan, sequence: number, key: string, time: number) {
  const start = Math.floor(time / MINUTE) * MINUTE;
  const operator = operatorOf(plan) as WindowPlan;
  const record = operator.combined
    ? packPartial({ start, end: start + MINUTE }, 1)
    : [`e${sequence}`, time, { key }];
  return segment(sequence, {}, { records: [key, record, 1], events: 1 });
}

const PEOPLE = [ALICE, `${ALICE}/2`, "bob", ""];

/** Everybody in several windows, some in pages and some in the log. */
function fill(plan: Plan, shard: Shard): void {
  let sequence = 0;
  for (const [n, time] of [0, 1_000, 90_000, 200_000, 400_000].entries()) {
    shard.apply(call(PEOPLE.map((key) => event(plan, sequence++, key, NOW + time))));
    if (n === 2) shard.checkpoint();
  }
}

/** What leaves the shard arrives. */
function confirmAll(shard: Shard): void {
  for (const { destination, sequence } of shard.outbox.entries()) shard.confirm(destination, sequence + 1);
}

function tell(plan: Plan, shard: Shard, watermark: number): void {
  advance(plan, shard, { v: 1, generation: 1, operator: "counts", shard: 0, shards: 1, watermark });
}

const all = (shard: Shard) => readWindows(shard, { limit: 1_000 });

function erase(shard: Shard) {
  const forgotten = forgetKey(shard, ALICE);
  confirmAll(shard);
  return { ...forgotten, ...wipe(shard) };
}

describe.each([
  ["tumbling", tumbling("1 minute")],
  ["session", session("1 minute")],
] as const)("%s windows", (kind, assigner) => {
  const plan = windowPlan(assigner);

  test("lose the key, its index and its timers, and keep everybody else", () => {
    const store = new SearchedStore();
    const shard = shardOver(store, plan);
    fill(plan, shard);
    const before = all(shard);
    const own = before.filter(({ key }) => key === ALICE);
    expect(own.length).toBeGreaterThan(3);
    // Only this key is in question: its neighbour goes first, as its name contains it.
    const rest = before.filter(({ key }) => key === "bob" || key === "");
    forgetKey(shard, `${ALICE}/2`);
    const { keys, timers, waitingFor } = erase(shard);
    expect({ keys, waitingFor }).toEqual({ keys: 1, waitingFor: undefined });
    // A session has timers of its own for its end and its lateness; any window's pane has one.
    expect(timers).toBe(own.length * (kind === "session" ? 3 : 1));
    expect(store.rowsWith(ALICE)).toEqual([]);
    const reopened = shardOver(store, plan);
    for (const one of [shard, reopened]) {
      expect(all(one)).toEqual(rest);
      expect(one.counters.keys).toBe(rest.length);
    }
    // The others' windows fire and close as if nothing had happened.
    tell(plan, reopened, NOW + HOUR);
    expect(all(reopened).map(({ final, ...one }) => [one.key, one.value, final])).toEqual(
      rest.map(({ key, value }) => [key, value, true]),
    );
  });

  test("a key that comes back counts from nothing", () => {
    const store = new SearchedStore();
    const shard = shardOver(store, plan);
    fill(plan, shard);
    erase(shard);
    shard.apply(call([event(plan, 99, ALICE, NOW)]));
    expect(readWindows(shard, { key: ALICE, limit: 10 }).map(({ value }) => value)).toEqual([1]);
    expect(erase(shard).keys).toBe(1);
    expect(readWindows(shard, { key: ALICE, limit: 10 })).toEqual([]);
  });

  test("closed windows that are only kept lose it too", () => {
    const store = new SearchedStore();
    const shard = shardOver(store, plan);
    fill(plan, shard);
    forgetKey(shard, `${ALICE}/2`);
    tell(plan, shard, NOW + HOUR);
    expect(readWindows(shard, { key: ALICE, limit: 10 }).every(({ final }) => final)).toBe(true);
    expect(erase(shard)).toMatchObject({ keys: 1 });
    expect(store.rowsWith(ALICE)).toEqual([]);
  });

  test("whichever write is the last, doing it again leaves nothing of the key and all of the others", () => {
    const outcomes = new Set<boolean>();
    for (let writes = 0; ; writes++) {
      const inner = new SearchedStore();
      const first = shardOver(inner, plan);
      fill(plan, first);
      forgetKey(first, `${ALICE}/2`);
      confirmAll(first);
      const rest = all(first).filter(({ key }) => key !== ALICE);
      const store = new CrashingStore(inner);
      store.writesLeft = writes;
      let crashed = false;
      try {
        erase(shardOver(store, plan));
      } catch (error) {
        if (!(error instanceof Crash)) throw error;
        crashed = true;
      }
      const survivor = shardOver(inner, plan);
      outcomes.add(readWindows(survivor, { key: ALICE, limit: 1 }).length > 0);
      erase(survivor);
      expect(inner.rowsWith(ALICE)).toEqual([]);
      expect(all(shardOver(inner, plan))).toEqual(rest);
      if (!crashed) break;
    }
    expect(outcomes).toEqual(new Set([true, false]));
  });
});

test("a pane's timer that has outlived its windows goes as well", () => {
  const plan = windowPlan(session("1 minute"), every("1000 hours"));
  const store = new SearchedStore();
  const clock = new VirtualClock(NOW);
  const shard = shardOver(store, plan, { clock });
  shard.apply(call([event(plan, 0, ALICE, NOW), event(plan, 1, "bob", NOW)]));
  tell(plan, shard, NOW + HOUR);
  // The windows' retention is over before the pane's time has come.
  clock.advance(900 * HOUR);
  while (fireTimers(shard, clock.now()));
  expect(all(shard)).toEqual([]);
  expect([...shard.timers.entries()].some(({ key }) => key.includes(ALICE))).toBe(true);
  expect(erase(shard)).toMatchObject({ keys: 1, timers: 1 });
  expect(store.rowsWith(ALICE)).toEqual([]);
});

test("windows that show by count have no timers of the key", () => {
  const plan = windowPlan(tumbling("1 minute"), afterCount(2));
  const store = new SearchedStore();
  const shard = shardOver(store, plan);
  fill(plan, shard);
  forgetKey(shard, `${ALICE}/2`);
  expect(erase(shard)).toMatchObject({ keys: 1, timers: 0 });
  expect(store.rowsWith(ALICE)).toEqual([]);
});
