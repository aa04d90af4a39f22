/** A sink's shard: events wait in durable state, and a batch is the same whenever it is written, after any crash. */
import { describe, expect, test } from "vitest";
import { VirtualClock } from "../../../src/clock.ts";
import { readStats } from "../../../src/engine/shard/reader.ts";
import { finishBatch, sinkDueAt, takeBatch } from "../../../src/engine/shard/sink-batches.ts";
import type { SinkOptions } from "../../../src/index.ts";
import { Job, planJobs } from "../../../src/index.ts";
import { MemoryStore } from "../../../src/state/memory-store.ts";
import { Crash, CrashingStore } from "../../simulation/crashing-store.ts";
import { Random } from "../../simulation/random.ts";
import { call, NOW, Records, shardOver } from "../support.ts";
import { eventSegment, lettersOf, Nowhere } from "./support.ts";

function planOf(options: SinkOptions, keyed = false) {
  const job = new Job("job");
  const records = job.addSource(new Records<{ key: string }>("records"));
  if (keyed) records.keyBy(({ key }) => key).addSink(new Nowhere("out", options));
  else records.addSink(new Nowhere("out", options));
  return planJobs([job]);
}

const HOUR = 3_600_000;

class Bench {
  readonly store = new CrashingStore(new MemoryStore());
  readonly clock = new VirtualClock(NOW);
  readonly plan;
  shard;
  sequence = 0;

  constructor(options: SinkOptions = {}, keyed = false) {
    this.plan = planOf(options, keyed);
    this.shard = this.#open();
  }

  #open() {
    return shardOver(this.store, this.plan, { operator: "out", clock: this.clock });
  }

  reopen(): this {
    this.store.calm();
    this.shard = this.#open();
    return this;
  }

  give(...data: readonly unknown[]) {
    const given = data.map((one) => ({ key: `key of ${one}`, data: one }));
    return this.shard.apply(call([eventSegment(this.sequence++, given)], { operator: "out" }));
  }

  take() {
    return takeBatch(this.shard, this.clock.now());
  }

  /** The data of the batch that is due, if one is. */
  due(): unknown[] | undefined {
    return this.take()?.events.map(({ data }) => data);
  }

  /** Finishes the batch of this number, all or some of whose events were rejected. */
  finish(number: number, rejected: (data: unknown) => string | undefined = () => undefined): void {
    const batch = this.take();
    if (batch === undefined) return;
    const reasons = batch.events.flatMap((event) => {
      const reason = rejected(event.data);
      return reason === undefined ? [] : [[event, reason] as const];
    });
    finishBatch(this.shard, { ...batch, number }, new Map(reasons));
  }
}

describe("a batch is due", () => {
  test("at once, by default, with all that waits", () => {
    const bench = new Bench();
    expect([sinkDueAt(bench.shard), bench.take()]).toEqual([undefined, undefined]);
    bench.give("a", "b");
    bench.give("c");
    expect(bench.due()).toEqual(["a", "b", "c"]);
  });

  test("when its first event has waited long enough, counted from when it came", () => {
    const bench = new Bench({ batchTime: "10 seconds" });
    bench.give("a");
    bench.clock.advance(6_000);
    bench.give("b");
    expect([sinkDueAt(bench.shard), bench.due()]).toEqual([NOW + 10_000, undefined]);
    bench.reopen();
    bench.clock.advance(3_999);
    expect(bench.due()).toBeUndefined();
    bench.clock.advance(1);
    expect(bench.take()).toMatchObject({ id: "out/0/1", operator: "out", shard: 0, number: 1, opened: NOW });
    expect(bench.due()).toEqual(["a", "b"]);
    bench.finish(1);
    bench.give("c");
    expect(sinkDueAt(bench.shard)).toBe(NOW + 20_000);
  });

  test("when it has enough events, and holds no more than that", () => {
    const bench = new Bench({ batchEvents: 3, batchTime: "1 hour" });
    bench.give("a", "b");
    expect(bench.due()).toBeUndefined();
    bench.give("c", "d");
    expect(bench.due()).toEqual(["a", "b", "c"]);
    bench.finish(1);
    expect(bench.due()).toBeUndefined();
    bench.give(...Array.from({ length: 7 }, (_, n) => n));
    expect(bench.due()).toEqual(["d", 0, 1]);
    bench.finish(2);
    expect(bench.due()).toEqual([2, 3, 4]);
    bench.finish(3);
    expect(bench.due()).toBeUndefined();
    expect(readStats(bench.shard).sink).toMatchObject({ buffered: 2, delivered: 9 });
  });

  test("when it has enough bytes", () => {
    const bench = new Bench({ batchBytes: 1_000, batchTime: "1 hour" });
    const long = "x".repeat(450);
    bench.give(long);
    expect(bench.due()).toBeUndefined();
    bench.give(long, long);
    // The event that passes the mark is in it.
    expect(bench.due()?.length).toBe(3);
    bench.finish(1);
    expect(bench.shard.counters.sink).toMatchObject({ bytes: 0, first: 4, last: 3 });
    bench.give("y".repeat(5_000), "z");
    expect(bench.due()?.length).toBe(1);
    bench.finish(2);
    expect(bench.due()).toBeUndefined();
  });

  test("at the end of the UTC hour in which its first event came, if it asks for that", () => {
    const bench = new Bench({ hourly: true, batchTime: "1 day" });
    const hour = Math.floor(NOW / HOUR) * HOUR;
    bench.give("a");
    expect(sinkDueAt(bench.shard)).toBe(hour + HOUR);
    bench.clock.advance(hour + HOUR - NOW - 1);
    bench.give("b");
    expect(bench.due()).toBeUndefined();
    bench.clock.advance(1);
    // An event of the next hour finds the batch closed, although nobody has looked yet.
    bench.give("c");
    expect(bench.due()).toEqual(["a", "b"]);
    bench.finish(1);
    expect([bench.due(), sinkDueAt(bench.shard)]).toEqual([undefined, hour + 2 * HOUR]);
    bench.clock.advance(5 * HOUR);
    bench.give("d");
    expect([bench.due(), bench.take()?.opened]).toEqual([["c"], hour + HOUR]);
  });
});

describe("a batch that is fixed", () => {
  test("takes nothing in that comes later, and is the same until it is finished", () => {
    const bench = new Bench();
    bench.give("a");
    const first = bench.take();
    bench.give("b");
    expect(bench.take()).toEqual(first);
    expect(bench.reopen().take()).toEqual(first);
    bench.shard.checkpoint();
    expect(bench.reopen().take()).toEqual(first);
    bench.finish(7);
    expect(bench.take()).toEqual(first);
    bench.finish(1);
    expect(bench.take()).toMatchObject({ id: "out/0/2", number: 2 });
    // The answer of an earlier batch comes late.
    bench.finish(1);
    expect(bench.due()).toEqual(["b"]);
  });

  test("has the events' keys, ids and times, and leaves no state behind", () => {
    const bench = new Bench({}, true);
    bench.give("a");
    expect(bench.take()?.events).toEqual([{ id: "e0.0", time: NOW, key: "key of a", data: "a" }]);
    bench.finish(1);
    bench.shard.checkpoint();
    expect([...bench.reopen().shard.state.entries()]).toEqual([]);
    const unkeyed = new Bench();
    unkeyed.give("a");
    expect(unkeyed.take()?.events).toEqual([{ id: "e0.0", time: NOW, data: "a" }]);
  });

  test("that its target rejects becomes dead letters that count nothing: its events were applied", () => {
    const bench = new Bench({ batchEvents: 2, batchTime: 0 }, true);
    bench.give("a", "b", "c");
    bench.finish(1, () => "no such bucket");
    expect(lettersOf(bench.shard)).toEqual(
      ["a", "b"].map((data, n) => ({
        source: "records",
        operator: "out",
        error: "no such bucket",
        n: 0,
        time: NOW,
        event: { id: `e0.${n}`, time: NOW, key: `key of ${data}`, data },
      })),
    );
    expect(bench.shard.counters.flows.records).toMatchObject({ applied: 3, dead: 0 });
    expect(readStats(bench.shard).sink).toMatchObject({ buffered: 1, delivered: 0 });
    expect(bench.due()).toEqual(["c"]);
  });

  test("of which its target rejects some events has delivered the others", () => {
    const bench = new Bench();
    bench.give("a", "b", "c");
    bench.finish(1, (data) => (data === "b" ? "not this one" : undefined));
    expect(lettersOf(bench.shard)).toMatchObject([{ error: "not this one", n: 0, event: { data: "b" } }]);
    expect(readStats(bench.shard).sink).toMatchObject({ buffered: 0, bytes: 0, delivered: 2 });
  });
});

describe("a full buffer", () => {
  test("makes the shard busy: it takes nothing in until a batch has gone, and no count is lost", () => {
    const bench = new Bench({ bufferBytes: 1_000, batchEvents: 2 });
    const long = "x".repeat(400);
    bench.give(long, long, long);
    const given = eventSegment(9, [{ data: "late" }]);
    const asked = call([given], { operator: "out" });
    expect(bench.shard.apply(asked)).toMatchObject({ busy: true, applied: 0 });
    expect(bench.reopen().shard.apply(asked)).toMatchObject({ busy: true });
    // What holds nothing is taken note of all the same.
    expect(bench.shard.apply(call([eventSegment(8, [])], { operator: "out" })).busy).toBeUndefined();
    bench.take();
    expect(bench.shard.apply(asked).busy).toBe(true);
    bench.finish(1);
    expect(bench.shard.apply(asked)).toMatchObject({ applied: 1 });
    bench.due();
    bench.finish(2);
    expect(readStats(bench.shard).sink).toMatchObject({ buffered: 0, bytes: 0, delivered: 4 });
  });
});

test.each(Array.from({ length: 60 }, (_, n) => n + 1))(
  "each event is in one batch, in order, each batch ever the same, with a crash at any write (seed %i)",
  (seed) => {
    const random = new Random(seed);
    const bench = new Bench({
      batchEvents: random.int(1, 6),
      batchBytes: random.pick([60, 1_000_000]),
      batchTime: random.pick([0, 50]),
      hourly: random.chance(0.3),
    });
    /** What the target has, by id: a batch written again must be what it was. */
    const written = new Map<string, string>();
    const given: string[] = [];
    let pending: ReturnType<typeof eventSegment> | undefined;
    let crashes = 0;
    const attempt = (work: () => void) => {
      if (random.chance(0.25)) {
        if (random.chance(0.5)) bench.store.writesLeft = random.int(0, 3);
        else bench.store.transactionsLeft = 1;
      }
      try {
        work();
        bench.store.calm();
      } catch (error) {
        if (!(error instanceof Crash)) throw error;
        crashes++;
        bench.reopen();
      }
    };
    const write = () => {
      const batch = bench.take();
      if (batch === undefined) return;
      const content = JSON.stringify([batch.opened, batch.events]);
      expect(written.get(batch.id) ?? content).toBe(content);
      written.set(batch.id, content);
      if (random.chance(0.8)) bench.finish(batch.number);
    };
    for (let step = 0; step < 120; step++) {
      const dice = random.int(0, 4);
      if (dice < 2) {
        if (pending === undefined) {
          const data = Array.from(
            { length: random.int(1, 4) },
            () => `e${given.length}.${random.hex(random.int(0, 20))}`,
          );
          given.push(...data);
          pending = eventSegment(
            bench.sequence++,
            data.map((one) => ({ data: one })),
          );
        }
        const segment = pending;
        // Sent again until it is taken: a crash after the commit makes it a duplicate.
        attempt(() => {
          bench.shard.apply(call([segment], { operator: "out" }));
          pending = undefined;
        });
      } else if (dice < 4) attempt(write);
      else bench.clock.advance(random.pick([1, 20, HOUR]));
      if (random.chance(0.05)) attempt(() => bench.shard.checkpoint());
      if (random.chance(0.1)) bench.reopen();
    }
    if (pending !== undefined) bench.shard.apply(call([pending], { operator: "out" }));
    for (;;) {
      bench.clock.advance(HOUR);
      const batch = bench.take();
      if (batch === undefined) break;
      const content = JSON.stringify([batch.opened, batch.events]);
      expect(written.get(batch.id) ?? content).toBe(content);
      written.set(batch.id, content);
      bench.finish(batch.number);
    }
    const inOrder = [...written].sort(([a], [b]) => Number(a.split("/")[2]) - Number(b.split("/")[2]));
    const delivered = inOrder.flatMap(([, content]) =>
      (JSON.parse(content)[1] as { data: string }[]).map(({ data }) => data),
    );
    expect(delivered).toEqual(given);
    expect(inOrder.map(([id]) => id)).toEqual(inOrder.map((_, n) => `out/0/${n + 1}`));
    expect(readStats(bench.shard).sink).toMatchObject({ buffered: 0, bytes: 0, delivered: given.length });
    expect(crashes).toBeGreaterThan(0);
  },
);
