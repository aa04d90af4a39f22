/** A shard that is closed and opened again after every commit and checkpoint step is, all in all, one that never slept. */
import { expect, test } from "vitest";
import { VirtualClock } from "../../../src/clock.ts";
import type { ShardSegment } from "../../../src/engine/shard/protocol.ts";
import { readStats } from "../../../src/engine/shard/reader.ts";
import type { Shard } from "../../../src/engine/shard/shard.ts";
import { finishBatch, takeBatch } from "../../../src/engine/shard/sink-batches.ts";
import { fireTimers, nextTimerOf } from "../../../src/engine/shard/timers.ts";
import type { Collector, Event, KeyedResult, Plan, ProcessContext, Timer } from "../../../src/index.ts";
import { Job, ProcessFunction, planJobs, stage, sum } from "../../../src/index.ts";
import { MemoryStore } from "../../../src/state/memory-store.ts";
import { PageCache } from "../../../src/state/page-cache.ts";
import { Crash, CrashingStore } from "../../simulation/crashing-store.ts";
import { Random } from "../../simulation/random.ts";
import { call, NOW, P, Q, Records, segment, shardOver, viewOf } from "../support.ts";
import { eventSegment, lettersOf, Nowhere } from "./support.ts";

/** State with and without a time to live, timers that set timers, two outputs, and failures of both hooks. */
class Busy extends ProcessFunction<number, string> {
  apply({ data, key }: Event<number>, collector: Collector<string>, { state, timers, now }: ProcessContext) {
    const seen = state.list<number>("seen", data % 3 === 0 ? { ttl: 40 } : {});
    if (data % 5 === 0) state.value("padding").set("x".repeat(data * 300));
    seen.add(data);
    if (seen.get().length > 6) seen.clear();
    if (data % 7 === 0) timers.delete("a");
    else timers.set(data % 2 === 0 ? "a" : "b", now + data);
    collector.emit(`${key} ${data}`);
    collector.emitTo("side", data);
    if (data % 11 === 0) throw new Error("unlucky");
  }
  override onTimer(
    { name, time }: Timer,
    collector: Collector<string>,
    { state, timers, now }: ProcessContext,
  ) {
    const fired = state.value<number>("fired");
    fired.set((fired.get() ?? 0) + 1);
    if (name === "a") timers.set("b", now + 9);
    collector.emit(`${name} ${time - NOW}`);
    if (time % 13 === 0) throw new Error("unlucky timer");
    if ((fired.get() ?? 0) > 3) for (const one of ["seen", "fired", "padding"]) state.value(one).clear();
  }
}

function planOf(): Plan {
  const job = new Job("job");
  const records = job.addSource(new Records<number>("records"));
  const busy = records.keyBy(String).applyOperator(new Busy("busy", { shards: 1 }));
  busy.addSink(new Nowhere("out", { shards: 1, batchEvents: 7, batchTime: 30 }));
  busy
    .sideOutput<number>("side")
    .keyBy((data) => `${data % 4}`)
    .aggregate(
      "sums",
      sum((data: number) => data),
      { shards: 1 },
    )
    .keyBy(({ key }: KeyedResult<number>) => key)
    .applyOperator(new Busy("after", { shards: 2 }) as never);
  records
    .applyOperator(stage<number>({ name: "relay", apply: () => undefined }))
    .addSink(new Nowhere("relayed"));
  return planJobs([job]);
}

const plan = planOf();

/** All that can be seen of a shard, but for what is about storage, and duplicates, which a sleep may forget. */
function seen(shard: Shard): unknown {
  const { rowsWritten, used, pages, logRows, checkpointLsn, appliedBytes, flows, ...stats } =
    readStats(shard);
  return {
    stats,
    flows: Object.entries(flows).map(([source, { duplicates, ...flow }]) => [source, flow]),
    view: viewOf(shard),
    timers: [...shard.timers.entries()].map(({ key }) => key),
    next: nextTimerOf(shard),
    // Order is kept within a channel, not between them.
    outbox: Map.groupBy(shard.outbox.entries(), ({ destination }) => destination),
    letters: lettersOf(shard),
    sink: shard.counters.sink,
    channels: shard.counters.channels,
  };
}

type Work = (shard: Shard) => unknown;

/** What a shard of this operator is given and asked to do, the same for both. */
function someWork(operator: string, random: Random, clock: VirtualClock, awake: Shard): () => Work {
  const sent: ShardSegment[] = [];
  const data = () => random.int(1, 60);
  const fresh = (): ShardSegment => {
    const more = { producer: random.pick([P, Q]) };
    const sequence = sent.length;
    if (operator === "sums") {
      const keys = Array.from({ length: random.int(1, 4) }, () => `${random.int(0, 30)}`);
      const records = keys.flatMap((key) => [key, data(), 1]);
      return segment(sequence, {}, { ...more, records, times: keys.map(() => clock.now()) });
    }
    if (operator === "relay") {
      const at = random.int(0, 2);
      const emitted = [[`e${sequence}.${at}`, NOW, data()]];
      return segment(
        random.int(0, 9),
        {},
        {
          records: [`${at}`, { emitted }, 1],
          ...(random.chance(0.7) ? { open: true } : {}),
        },
      );
    }
    const events = Array.from({ length: random.int(1, 5) }, () => ({
      key: `k${random.int(0, 12)}`,
      data: data(),
    }));
    return eventSegment(sequence, events, more);
  };
  return () => {
    const dice = random.int(0, 9);
    if (dice < 5) {
      const given = Array.from({ length: random.int(1, 3) }, () => {
        const one = random.chance(0.2) && sent.length > 0 ? random.pick(sent) : fresh();
        sent.push(one);
        return one;
      });
      // Two parts of one segment never come in one call.
      const one = operator === "relay" ? given.slice(0, 1) : given;
      return (shard) => shard.apply(call(one, { operator }));
    }
    if (dice < 7) {
      const ahead = random.int(1, 3);
      const taken = awake.outbox.destinations.map((destination) => {
        const last = awake.outbox.pending(destination, 1e9).slice(0, ahead).at(-1);
        return [destination, (last?.sequence ?? -1) + 1] as const;
      });
      return (shard) => {
        for (const [destination, upTo] of taken) shard.confirm(destination, upTo);
        // With a commit, since a confirmation alone may be lost.
        shard.transact([], () => undefined);
      };
    }
    if (dice === 7) {
      clock.advance(random.int(0, 40));
      return (shard) => fireTimers(shard, clock.now());
    }
    const finish = random.chance(0.7);
    return (shard) => {
      const batch = takeBatch(shard, clock.now());
      if (batch !== undefined && finish) finishBatch(shard, batch, new Map());
      return batch;
    };
  };
}

const CASES = ["busy", "sums", "out", "relay"].flatMap((operator) =>
  Array.from({ length: 8 }, (_, n) => [operator, n + 1] as const),
);

test.each(CASES)("%s, opened anew after each step (seed %i)", (operator, seed) => {
  const random = new Random(seed);
  const clock = new VirtualClock(NOW);
  const awake = shardOver(new MemoryStore(), plan, {
    operator,
    clock,
    limits: { checkpointCommits: 1e6, logRows: 1e6 },
  });
  const limits = {
    checkpointCommits: random.pick([1, 2, 5, 20]),
    checkpointStepPages: 1,
    logRows: random.pick([4, 60]),
  };
  const store = new CrashingStore(new MemoryStore());
  const cache = new PageCache(100_000);
  const open = () => shardOver(store, plan, { operator, clock, limits, cache });
  let sleeper = open();
  const next = someWork(operator, random, clock, awake);
  let checkpoints = 0;
  let cut = 0;
  for (let step = 0; step < 60; step++) {
    const work = next();
    const expected = work(awake);
    const before = sleeper.checkpointLsn;
    const { lsn } = sleeper;
    // The process dies at some write of the commit, or of the checkpoint's steps behind it, in half of the steps: at the
    // first one where it has never come to that.
    if (random.chance(0.5)) store.writesLeft = cut === 0 && step >= 20 ? 0 : random.int(0, 4);
    try {
      const got = work(sleeper);
      store.calm();
      expect(plain(got)).toEqual(plain(expected));
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      cut++;
      sleeper = open();
      // What was cut off before its commit is tried again; after it, a segment again is a duplicate.
      if (sleeper.lsn < awake.lsn) work(sleeper);
    }
    expect(sleeper.lsn).toBe(awake.lsn);
    if (sleeper.lsn > lsn) expect(seen(sleeper)).toEqual(seen(awake));
    sleeper = open();
    expect(seen(sleeper)).toEqual(seen(awake));
    if (sleeper.checkpointLsn > before) checkpoints++;
  }
  expect(sleeper.lsn).toBeGreaterThan(20);
  expect(checkpoints).toBeGreaterThan(limits.checkpointCommits === 20 ? 0 : 1);
  expect(cut).toBeGreaterThan(0);
});

/** An answer without what a sleep may forget. */
function plain(answer: unknown): unknown {
  if (typeof answer !== "object" || answer === null || !("duplicates" in answer)) return answer;
  return { ...answer, duplicates: 0 };
}
