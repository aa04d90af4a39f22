/** Commit: a record counts whole or not at all, with its state, its emissions and its timers; and a commit by policy likewise. */
import { describe, expect, test } from "vitest";
import { ProducerKind } from "../../../src/engine/segment.ts";
import { readStats } from "../../../src/engine/shard/reader.ts";
import { ShardRefusedError } from "../../../src/errors.ts";
import type { Collector, Event, FailurePolicy, ProcessContext } from "../../../src/index.ts";
import { Job, ProcessFunction, planJobs, stage } from "../../../src/index.ts";
import { MemoryStore } from "../../../src/state/memory-store.ts";
import { call, NOW, P, Q, Records, segment, shardOver, viewOf } from "../support.ts";
import { emittedBy, eventSegment, lettersOf, Nowhere } from "./support.ts";

/** Does everything that a hook can do, and throws where the event says so. */
class Everything extends ProcessFunction<string, string> {
  apply({ data }: Event<string>, collector: Collector<string>, { state, timers, now }: ProcessContext) {
    const seen = state.list<string>("seen");
    const fail = (where: string) => {
      if (data === where) throw new Error(`failed ${where}`);
    };
    fail("before");
    seen.add(data);
    state.map<number>("times").set(data, now);
    fail("after state");
    timers.set("timer", now + 1_000 * seen.get().length);
    fail("after timer");
    collector.emit(data);
    collector.emitTo("side", data);
    fail("at the end");
    if (data === "circular") {
      const circular: unknown[] = [];
      circular.push(circular);
      state.value("circular").set(circular);
    }
  }
}

function planWith(onError: FailurePolicy = "dead-letter") {
  const job = new Job("job", { onError });
  const out = job
    .addSource(new Records<string>("records"))
    .keyBy((key) => key)
    .applyOperator(new Everything("everything", { shards: 1 }));
  out.addSink(new Nowhere("out"));
  out.sideOutput<string>("side").addSink(new Nowhere("side"));
  return planJobs([job]);
}

const FAILURES = ["before", "after state", "after timer", "at the end", "circular"];

function opened(plan = planWith(), store = new MemoryStore()) {
  const shard = shardOver(store, plan, { operator: "everything" });
  const apply = (sequence: number, data: readonly string[], more = {}) =>
    shard.apply(
      call(
        [
          eventSegment(
            sequence,
            data.map((one) => ({ key: "k", data: one })),
            more,
          ),
        ],
        {
          operator: "everything",
        },
      ),
    );
  return { shard, apply, store };
}

function seen({ shard }: ReturnType<typeof opened>): unknown {
  return {
    view: viewOf(shard),
    timers: [...shard.timers.entries()].map(({ key }) => key),
    emitted: emittedBy(shard).map(({ data }) => data),
    channels: shard.counters.channels,
    keys: shard.counters.keys,
  };
}

describe("an event that fails in the middle", () => {
  test.each(FAILURES)("(%s) leaves state, timers and emissions as they were", (failing) => {
    const [failed, calm] = [opened(), opened()];
    failed.apply(0, ["a", failing, "b"], { producer: P });
    calm.apply(0, ["a", "b"], { producer: P });
    expect(seen(failed)).toEqual(seen(calm));
    expect(failed.shard.counters.flows.records).toEqual({ applied: 2, late: 0, dead: 1, duplicates: 0 });
    expect(lettersOf(failed.shard)).toMatchObject([
      { source: "records", operator: "everything", n: 1, time: NOW, event: { data: failing, key: "k" } },
    ]);
  });

  test.each(FAILURES)("(%s) as the only one leaves nothing but a letter", (failing) => {
    const { shard, apply, store } = opened();
    apply(0, [failing]);
    const woken = shardOver(store, planWith(), { operator: "everything" });
    for (const one of [shard, woken]) {
      expect([viewOf(one), [...one.timers.entries()], one.outbox.size, one.counters.keys]).toEqual([
        {},
        [],
        0,
        0,
      ]);
      expect([lettersOf(one).length, one.lsn]).toEqual([1, 1]);
    }
  });

  test.each(FAILURES.slice(0, 4))(
    "(%s) refuses its call where the policy is to fail, and nothing happened",
    (failing) => {
      const { shard, apply, store } = opened(planWith("fail"));
      apply(0, ["a"]);
      const before = [store.rowsWritten, seen({ shard, apply, store }), readStats(shard)];
      expect(() => apply(1, ["b", failing, "c"])).toThrow(ShardRefusedError);
      expect(() => apply(1, ["b", failing, "c"])).toThrow(`operator everything failed: failed ${failing}`);
      expect([store.rowsWritten, seen({ shard, apply, store }), readStats(shard)]).toEqual(before);
      // The shard goes on, and the same segment counts once the code is mended.
      apply(1, ["b", "c"]);
      expect(emittedBy(shard).map(({ data }) => data)).toEqual(["a", "b", "c", "a", "b", "c"]);
      expect(lettersOf(shard)).toEqual([]);
    },
  );

  test("that was dead before it came here refuses its call too, by policy", () => {
    const { shard } = opened(planWith("fail"));
    const dead = [{ operator: "map", error: "no", event: { id: "e", time: 0, data: 1 }, n: 1 }];
    expect(() => shard.apply(call([segment(0, {}, { dead })], { operator: "everything" }))).toThrow(
      /operator map failed: no/,
    );
    expect(shard.lsn).toBe(0);
  });
});

describe("an event that no message to its stage can hold", () => {
  function locating(onError: FailurePolicy = "dead-letter") {
    const job = new Job("job", { onError });
    job
      .addSource(new Records<string>("records"))
      .keyBy((key) => key)
      .applyOperator(new Everything("everything", { shards: 1 }))
      .applyOperator(stage<string>({ name: "waits", apply: () => undefined }))
      .addSink(new Nowhere("out"));
    return planJobs([job]);
  }

  test("is a letter that counts nothing, since what it came from was applied", () => {
    const { shard, apply } = opened(locating());
    apply(0, ["a", "x".repeat(200_000), "b"]);
    expect(shard.counters.flows).toEqual({
      records: { applied: 3, late: 0, dead: 0, duplicates: 0 },
      everything: { applied: 0, late: 0, dead: 0, duplicates: 0 },
    });
    expect(lettersOf(shard)).toMatchObject([
      { source: "everything", operator: "waits", n: 0, error: /does not fit/, event: { id: "e0.1" } },
    ]);
    expect(emittedBy(shard).map(({ data }) => data)).toEqual(["a", "b"]);
  });
});

describe("what a producer's events are counted by", () => {
  const counted = (kind: ProducerKind, segments: readonly (readonly [number, Record<string, unknown>])[]) => {
    const { shard, apply } = opened();
    for (const [sequence, more] of segments) apply(sequence, ["a"], { kind, producer: Q, ...more });
    return shard.applied.record(Q);
  };

  test("an isolate and a channel say how many went before", () => {
    for (const kind of [ProducerKind.isolate, ProducerKind.channel]) {
      expect(
        counted(kind, [
          [3, { before: 40, events: 2 }],
          [1, { before: 10, events: 5 }],
        ]),
      ).toMatchObject({ counted: 42, settled: 2 });
    }
  });

  test("a client's segments are counted where they are anchored, a redrive's not at all", () => {
    expect(
      counted(ProducerKind.client, [
        [0, { events: 2, anchored: true }],
        [1, { events: 3, anchored: false }],
      ]),
    ).toMatchObject({ counted: 2, settled: 2 });
    expect(counted(ProducerKind.redrive, [[0, { events: 2 }]])).toMatchObject({ counted: 0, settled: 0 });
  });
});
