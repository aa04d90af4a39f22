/** Combiner: who sees each event gets each one, unkeyed ones at one shard by producer, and what cannot be written is dead. */
import { describe, expect, test } from "vitest";
import { passThrough } from "../../../src/engine/source/chain.ts";
import { Combiner } from "../../../src/engine/source/combiner.ts";
import type { Stream } from "../../../src/index.ts";
import { count, Job, ProcessFunction, planJobs, stage, tumbling } from "../../../src/index.ts";
import type { SourcePlan } from "../../../src/plan.ts";
import { Random } from "../../simulation/random.ts";
import { Nowhere } from "../shard/support.ts";
import { NOW, P, Q, Records } from "../support.ts";

class Seeing extends ProcessFunction<unknown, unknown> {
  apply(): void {}
}

function sourceOf(build: (stream: Stream<unknown>) => void): SourcePlan {
  const job = new Job("job");
  build(job.addSource(new Records<unknown>("records")));
  return planJobs([job]).sources.get("records") as SourcePlan;
}

/** Combines events of these data; gives the items by target. */
function combined(source: SourcePlan, data: readonly unknown[], producer = P) {
  const combiner = new Combiner(source.targets);
  data.forEach((one, n) =>
    combiner.add(passThrough(source.steps, { id: `e${n}`, time: NOW + n, data: one })),
  );
  return Map.groupBy(combiner.items(producer), ({ target }) => target.name);
}

describe("a target that sees each event", () => {
  const source = sourceOf((stream) => {
    stream.keyBy((data) => `k${String(data).length}`).applyOperator(new Seeing("seeing", { shards: 3 }));
    stream.addSink(new Nowhere("out", { shards: 3 }));
    stream.keyBy(() => "hot").aggregate("counts", count(), { shards: 3 });
  });

  test("gets a record each, in order; only aggregates are folded", () => {
    const items = combined(source, ["a", "b", "ccc", "d"]);
    expect(items.get("seeing")?.map(({ record }) => record)).toEqual([
      ["k1", ["e0", NOW, "a"], 1],
      ["k1", ["e1", NOW + 1, "b"], 1],
      ["k3", ["e2", NOW + 2, "ccc"], 1],
      ["k1", ["e3", NOW + 3, "d"], 1],
    ]);
    expect(items.get("counts")?.map(({ record, time }) => [record, time])).toEqual([
      [["hot", 4, 4], NOW + 3],
    ]);
  });

  test("has its shard by the key, or, without one, all at one shard by the producer", () => {
    const random = new Random(1);
    const places = Array.from({ length: 40 }, () => {
      const items = combined(source, ["a", "bb", "ccc"], random.hex(32)).get("out");
      const shards = new Set(items?.map(({ shard }) => shard));
      expect(shards.size).toBe(1);
      return [...shards][0];
    });
    expect(new Set(places)).toEqual(new Set([0, 1, 2]));
    const keyed = [P, Q].map((producer) => combined(source, ["a", "bb", "ccc"], producer).get("seeing"));
    expect(keyed[0]?.map(({ shard }) => shard)).toEqual(keyed[1]?.map(({ shard }) => shard));
    expect(new Set(keyed[0]?.map(({ shard }) => shard)).size).toBeGreaterThan(1);
  });
});

test("what was dropped or failed goes to the shard of the first record, or to one by the producer", () => {
  const source = sourceOf((stream) => {
    stream
      .filter((data) => {
        if (data === "throw") throw new Error("thrown");
        return data !== "drop";
      }, "picky")
      .addSink(new Nowhere("out", { shards: 3 }));
  });
  const whole = combined(source, ["drop", "a", "throw", "drop"]).get("out") ?? [];
  expect(whole.map(({ record, dead, dropped }) => [record?.[2], dead?.n, dropped])).toEqual([
    [1, undefined, undefined],
    [undefined, 1, undefined],
    [undefined, undefined, 2],
  ]);
  const nothing = combined(source, ["drop", "throw"]).get("out") ?? [];
  expect(new Set([...whole, ...nothing].map(({ shard }) => shard)).size).toBe(1);
});

describe("an event that cannot be written down", () => {
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  const hostile = {
    toJSON() {
      throw new Error("no JSON of me");
    },
  };
  const source = sourceOf((stream) => {
    // The data is made here: what came over the wire is JSON.
    const made = stream.map(
      (data) => ({ circular, bigint: 1n, deep: { in: [1n] }, hostile })[data as string] ?? data,
    );
    made.addSink(new Nowhere("out"));
    made
      .applyOperator(stage<unknown>({ name: "waits", apply: () => undefined }))
      .addSink(new Nowhere("waited"));
    made.keyBy(() => "k").applyOperator(new Seeing("seeing", { shards: 1 }));
    made.keyBy(() => "k").aggregate("counts", count(), { shards: 1 });
  });

  test("is dead for whoever would have to be sent it, its neighbours go, and each is accounted for once", () => {
    const items = combined(source, ["a", "circular", "bigint", "deep", "hostile", "b"]);
    for (const name of ["out", "waits", "seeing"]) {
      const own = items.get(name) ?? [];
      expect(own.flatMap(({ record }) => (record === undefined ? [] : [record[1]]))).toEqual([
        ["e0", NOW, "a"],
        ["e5", NOW + 5, "b"],
      ]);
      const dead = own.flatMap((item) => (item.dead === undefined ? [] : [item.dead]));
      expect(dead.map(({ operator, n, event }) => [operator, n, event.id])).toEqual(
        [1, 2, 3, 4].map((n) => [name, 1, `e${n}`]),
      );
      expect(() => JSON.stringify(dead)).not.toThrow();
      expect(String(dead[0]?.event.data)).toMatch(/^not JSON: /);
    }
    // A count needs nothing of the data.
    expect(items.get("counts")?.map(({ record }) => record)).toEqual([["k", 6, 6]]);
  });
});

test("by the table's port, a failure keeps the port, to come back by it", () => {
  const source = sourceOf((stream) => {
    const table = stream.map(() => 1n as unknown).keyBy(() => "k");
    stream
      .keyBy(() => "k")
      .enrich("joined", table, (data) => data)
      .addSink(new Nowhere("out"));
  });
  const items = combined(source, ["a"]).get("joined") ?? [];
  expect(items.flatMap(({ dead }) => (dead === undefined ? [] : [[dead.operator, dead.event.port]]))).toEqual(
    [["joined", 1]],
  );
  expect(items.reduce((sum, { record, dead }) => sum + (record?.[2] ?? 0) + (dead?.n ?? 0), 0)).toBe(1);
});

test("an event that reaches a target by several ways is accounted for once", () => {
  const source = sourceOf((stream) => {
    const sink = new Nowhere("out");
    stream.addSink(sink);
    stream.flatMap((data) => [data, data]).addSink(sink);
    stream.filter(() => false).addSink(sink);
  });
  const items = combined(source, ["a", "b"]).get("out") ?? [];
  expect(items.map(({ record, dropped }) => [(record?.[1] as unknown[])?.[0], record?.[2], dropped])).toEqual(
    [
      ["e0", 1, undefined],
      ["e0", 0, undefined],
      ["e0/1", 0, undefined],
      ["e1", 1, undefined],
      ["e1", 0, undefined],
      ["e1/1", 0, undefined],
    ],
  );
});

test("each window of a key has a record, in the order that they came in: of 100,000 some have the same hash", () => {
  const source = sourceOf((stream) => {
    stream
      .keyBy(() => "k")
      .window(tumbling("1ms"))
      .aggregate("counts", count(), { shards: 1 });
  });
  const times = Array.from({ length: 100_000 }, (_, n) => NOW - n);
  const combiner = new Combiner(source.targets);
  for (const time of [...times, ...times]) {
    combiner.add(passThrough(source.steps, { id: "e", time, data: "a" }));
  }
  expect(combiner.items(P).map(({ record }) => record)).toEqual(
    times.map((time) => ["k", [time + 1, 1, 2], 2]),
  );
});
