/** RelayProcessor: of all runs of a stage, each event's outcome counts once, in whatever parts it is committed. */
import { describe, expect, test } from "vitest";
import { ProducerKind } from "../../../src/engine/segment.ts";
import type { StageOutcome } from "../../../src/engine/shard/processors/relay.ts";
import { readProgress } from "../../../src/engine/shard/reader.ts";
import type { Shard } from "../../../src/engine/shard/shard.ts";
import { Job, planJobs, stage } from "../../../src/index.ts";
import { MemoryStore } from "../../../src/state/memory-store.ts";
import { Random } from "../../simulation/random.ts";
import { call, NOW, P, Q, Records, segment, shardOver, viewOf } from "../support.ts";
import { emittedBy, lettersOf, Nowhere } from "./support.ts";

const job = new Job("job");
const located = job
  .addSource(new Records<string>("records"))
  .applyOperator(stage<string, string>({ name: "locate", apply: () => undefined }));
located.addSink(new Nowhere("out"));
located.sideOutput<string>("unknown").addSink(new Nowhere("unknown"));
const plan = planJobs([job]);

const opened = (store = new MemoryStore(), limits = {}) =>
  shardOver(store, plan, { operator: "locate", limits });

/** What some positions of a segment came to, in this run. */
function part(sequence: number, outcomes: Readonly<Record<number, StageOutcome>>, more: object = {}) {
  const records = Object.entries(outcomes).flatMap(([position, outcome]) => [position, outcome, 1]);
  return segment(sequence, {}, { records, events: 3, ...more });
}
const open = { open: true };
const emits = (text: string): StageOutcome => ({ emitted: [[text, NOW, text]] });
const dies = (text: string): StageOutcome => ({
  dead: { operator: "locate", error: "no", event: { id: text, time: NOW, data: text } },
});

const apply = (shard: Shard, one: ReturnType<typeof part>) =>
  shard.apply(call([one], { operator: "locate" }));
const data = (shard: Shard) => emittedBy(shard).map((event) => event.data);
const progress = (shard: Shard, sequence = 0, producer = P) =>
  readProgress(shard, [{ producer, sequence }])[0];

test("a whole segment is handed on, main and side outputs, and leaves nothing behind", () => {
  const shard = opened();
  const both: StageOutcome = {
    emitted: [
      ["e", NOW, "main"],
      ["e/1", NOW, "side", "unknown"],
      ["e/2", NOW, "nobody", "nobody"],
    ],
  };
  expect(progress(shard)).toEqual([]);
  apply(shard, part(0, { 0: both, 1: { emitted: [] }, 2: dies("c") }));
  expect(data(shard)).toEqual(["main", "side"]);
  expect(shard.outbox.destinations).toEqual(["out/0", "unknown/0"]);
  expect(lettersOf(shard)).toMatchObject([{ source: "records", operator: "locate", n: 1 }]);
  expect(shard.counters.flows.records).toMatchObject({ applied: 2, dead: 1 });
  expect([viewOf(shard), progress(shard)]).toEqual([{}, "all"]);
});

describe("in parts", () => {
  test("each event counts with the first part that has it, and the end closes the segment", () => {
    const store = new MemoryStore();
    const shard = opened(store);
    apply(shard, part(0, { 1: emits("b1") }, open));
    expect([data(shard), progress(shard)]).toEqual([["b1"], [1]]);
    apply(shard, part(0, { 1: emits("b2"), 2: dies("c2") }, open));
    expect([data(shard), progress(shard)]).toEqual([["b1"], [1, 2]]);
    const woken = opened(store);
    expect(progress(woken)).toEqual([1, 2]);
    apply(woken, part(0, { 0: emits("a3"), 1: emits("b3"), 2: emits("c3") }));
    expect([data(woken), progress(woken), viewOf(woken)]).toEqual([["b1", "a3"], "all", {}]);
    expect(woken.counters.flows.records).toMatchObject({ applied: 2, dead: 1, duplicates: 0 });
    expect(lettersOf(woken).length).toBe(1);
  });

  test("the end may hold nothing new", () => {
    const shard = opened();
    apply(shard, part(0, { 0: emits("a"), 1: emits("b"), 2: emits("c") }, open));
    expect(progress(shard)).toEqual([0, 1, 2]);
    apply(shard, part(0, { 2: emits("again") }));
    expect([data(shard), progress(shard), viewOf(shard)]).toEqual([["a", "b", "c"], "all", {}]);
  });

  test("what another run sends after the end is a duplicate, open or whole", () => {
    const shard = opened();
    apply(shard, part(0, { 0: emits("a"), 1: emits("b") }));
    expect(apply(shard, part(0, { 0: emits("x") }, open))).toMatchObject({ applied: 0, duplicates: 1 });
    expect(apply(shard, part(0, { 1: emits("y") }))).toMatchObject({ applied: 0, duplicates: 1 });
    expect([data(shard), viewOf(shard)]).toEqual([["a", "b"], {}]);
  });

  test("of different segments and producers do not meet", () => {
    const shard = opened();
    apply(shard, part(0, { 0: emits("a") }, open));
    apply(shard, part(1, { 0: emits("b") }, open));
    apply(shard, part(0, { 0: emits("c") }, { producer: Q }));
    expect([data(shard), progress(shard, 0), progress(shard, 1), progress(shard, 0, Q)]).toEqual([
      ["a", "b", "c"],
      [0],
      [0],
      "all",
    ]);
  });

  test.each(Object.entries(ProducerKind))(
    "the events of a producer of kind %s are counted once",
    (_name, kind) => {
      const counted = (parts: readonly object[]) => {
        const shard = opened();
        const more = { kind, before: kind === ProducerKind.client ? 0 : 4, anchored: true };
        for (const [n, one] of parts.entries())
          apply(shard, part(0, { [n]: emits("x") }, { ...more, ...one }));
        return shard.applied.record(P);
      };
      const { counted: whole } = counted([{}]) ?? {};
      expect(counted([open, open, {}])?.counted).toBe(whole);
      expect(whole).toBe({ isolate: 7, channel: 7, client: 3, redrive: 0 }[_name]);
    },
  );

  test("and the events that had failed before, or were dropped, count with the end", () => {
    const shard = opened();
    const dead = [{ operator: "map", error: "no", event: { id: "m", time: 0, data: 1 }, n: 1 }];
    apply(shard, part(0, { 0: emits("a") }, open));
    apply(shard, part(0, { 1: emits("b") }, { dead, dropped: 4 }));
    expect(shard.counters.flows.records).toMatchObject({ applied: 6, dead: 1 });
    expect(shard.applied.record(P)?.settled).toBe(7);
  });
});

test.each(Array.from({ length: 30 }, (_, n) => n + 1))(
  "any runs, in any parts, come to one outcome an event (seed %i)",
  (seed) => {
    const random = new Random(seed);
    const store = new MemoryStore();
    const limits = { checkpointCommits: random.int(1, 4), checkpointStepPages: 1 };
    let shard = opened(store, limits);
    const events = random.int(1, 8);
    const segments = 4;
    const done = new Set<number>();
    let runs = 0;
    while (done.size < segments) {
      const sequence = random.int(0, segments - 1);
      // A run knows what had been committed when it began; others may be under way.
      const known = progress(shard, sequence);
      if (known === "all") continue;
      runs++;
      let todo = random.shuffle(
        Array.from({ length: events }, (_, n) => n).filter((n) => random.chance(0.3) || !known?.includes(n)),
      );
      const outcomes = (positions: readonly number[]) =>
        Object.fromEntries(
          positions.map((n) => [
            n,
            random.chance(0.2) ? dies(`${sequence}.${n}`) : emits(`${sequence}.${n}`),
          ]),
        );
      while (todo.length > 0 && random.chance(0.8)) {
        apply(shard, part(sequence, outcomes(todo.splice(0, random.int(1, 3))), open));
        if (random.chance(0.3)) shard = opened(store, limits);
      }
      if (random.chance(0.5)) {
        const left = progress(shard, sequence) as readonly number[];
        todo = Array.from({ length: events }, (_, n) => n).filter((n) => !left.includes(n));
        apply(shard, part(sequence, outcomes(todo), { dropped: 1 }));
        done.add(sequence);
      }
    }
    expect(runs).toBeGreaterThanOrEqual(segments);
    const told = [...data(shard), ...lettersOf(shard).map(({ event }) => event?.data)];
    const all = Array.from(
      { length: segments * events },
      (_, n) => `${Math.floor(n / events)}.${n % events}`,
    );
    expect(told.toSorted()).toEqual(all.toSorted());
    const { applied = 0, dead = 0 } = shard.counters.flows.records ?? {};
    expect([applied + dead, viewOf(shard)]).toEqual([segments * (events + 1), {}]);
  },
);
