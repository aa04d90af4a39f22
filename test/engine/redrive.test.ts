/** Redrive: a dead letter sent again counts once, and nothing that was applied beside it counts again. */
import { describe, expect, test } from "vitest";
import { VirtualClock } from "../../src/clock.ts";
import { decodeEnvelope } from "../../src/engine/envelope.ts";
import { OperatorExecutor } from "../../src/engine/operator-executor.ts";
import { Redrive } from "../../src/engine/shard/redrive.ts";
import type { Shard } from "../../src/engine/shard/shard.ts";
import type { Plan } from "../../src/index.ts";
import { Job, planJobs, sum } from "../../src/index.ts";
import { MemoryStore } from "../../src/state/memory-store.ts";
import { call, NOW, pack, Records, read, segment, shardOver, sourceExecutor, viewOf } from "./support.ts";

/** Broken code, to be fixed by a deploy that throws no more. */
function jobWith(broken: { map?: boolean; key?: boolean; add?: boolean }): Plan {
  const job = new Job("job");
  const fail = (where: keyof typeof broken, value: number) => {
    if (broken[where] === true && value === 13) throw new Error(`${where} is broken`);
    return value;
  };
  job
    .addSource(new Records<{ values: number[] }>("records"))
    .flatMap(({ values }) => values)
    .map((value) => fail("map", value), "mapped")
    .keyBy((value) => `k${fail("key", value)}`)
    .aggregate(
      "counts",
      sum((value: number) => fail("add", value)),
      { shards: 1 },
    );
  return planJobs([job]);
}

class Bench {
  readonly store = new MemoryStore();

  shard(plan: Plan): Shard {
    return shardOver(this.store, plan);
  }

  async deliver(plan: Plan, messages: readonly string[]): Promise<void> {
    const executor = new OperatorExecutor({
      plan,
      clock: new VirtualClock(NOW),
      shards: { apply: async (one) => this.shard(plan).apply(one) },
      claims: { claim: async () => expect.unreachable() },
      graveyard: { bury: async () => expect.unreachable() },
    });
    let acknowledged = 0;
    await executor.consume(
      "queue",
      messages.map((body, n) => ({
        id: `${n}`,
        body,
        attempts: 1,
        ack: () => acknowledged++,
        retry: () => expect.unreachable(),
      })),
    );
    expect(acknowledged).toBe(messages.length);
  }

  async send(plan: Plan, values: readonly number[][]): Promise<void> {
    const executor = sourceExecutor(plan);
    await this.deliver(
      plan,
      pack(
        executor,
        read(
          executor,
          values.map((one) => ({ values: one })),
        ),
      ).messages,
    );
  }

  get numbers(): number[] {
    return this.store.listDeadLetters(0, 100).map(({ number }) => number);
  }

  flow(plan: Plan): { applied: number; dead: number } {
    const { applied = 0, dead = 0 } = this.shard(plan).counters.flows.records ?? {};
    return { applied, dead };
  }
}

const messagesOf = (redrive: Redrive) => redrive.sends.flatMap(({ messages }) => messages);
const fixed = jobWith({});

describe.each(["map", "key", "add"] as const)("what failed in %s", (where) => {
  test("is applied once the code is fixed, and its siblings are not applied again", async () => {
    const broken = jobWith({ [where]: true });
    const bench = new Bench();
    await bench.send(broken, [[1, 13, 2], [13], [13, 1], [5]]);
    expect(viewOf(bench.shard(broken))).toEqual({ k1: 2, k2: 2, k5: 5 });
    expect(bench.flow(broken).applied + bench.flow(broken).dead).toBe(4);
    expect(bench.numbers.length).toBe(3);

    const redrive = new Redrive(fixed, bench.shard(fixed), [...bench.numbers, 99]);
    // The answer is lost, and all is sent twice.
    await bench.deliver(fixed, messagesOf(redrive));
    const again = new Redrive(fixed, bench.shard(fixed), bench.numbers);
    await bench.deliver(fixed, messagesOf(again));
    expect(again.finish()).toBe(3);

    expect(viewOf(bench.shard(fixed))).toEqual({ k1: 2, k2: 2, k5: 5, k13: 39 });
    expect(bench.flow(fixed)).toEqual({ applied: 4, dead: 0 });
    expect(bench.numbers).toEqual([]);
  });

  test("and fails again is a dead letter again, and nothing else changes", async () => {
    const broken = jobWith({ [where]: true });
    const bench = new Bench();
    await bench.send(broken, [[1, 13, 2], [13]]);
    const before = bench.flow(broken);
    const redrive = new Redrive(broken, bench.shard(broken), bench.numbers);
    await bench.deliver(broken, messagesOf(redrive));
    redrive.finish();
    expect(viewOf(bench.shard(broken))).toEqual({ k1: 1, k2: 2 });
    expect(bench.flow(broken)).toEqual(before);
    expect(bench.numbers.length).toBe(2);
  });
});

test("a letter whose step is gone stays, instead of starting again beside what was applied", async () => {
  const broken = jobWith({ map: true });
  const bench = new Bench();
  await bench.send(broken, [[1, 13]]);
  const job = new Job("job");
  job
    .addSource(new Records<{ values: number[] }>("records"))
    .flatMap(({ values }) => values)
    .keyBy(String)
    .aggregate(
      "counts",
      sum((value: number) => value),
      { shards: 1 },
    );
  const without = planJobs([job]);
  const redrive = new Redrive(without, bench.shard(without), bench.numbers);
  expect([redrive.sends, redrive.finish(), bench.numbers.length]).toEqual([[], 0, 1]);
});

test("a combined record that could not be merged is sent again as it is", async () => {
  const bench = new Bench();
  const shard = bench.shard(fixed);
  shard.apply(call([segment(0, {}, { records: ["a", 1e308, 1] })]));
  shard.apply(call([segment(1, { a: 1e308 }, { records: ["a", 1e308, 7] })]));
  expect(shard.counters.flows.records).toMatchObject({ dead: 7 });
  const redrive = new Redrive(fixed, shard, bench.numbers);
  expect(decodeEnvelope(messagesOf(redrive)[0]).segments[0]?.parts[0]?.byShard[0]?.records).toEqual([
    "a",
    1e308,
    7,
  ]);
  expect(bench.flow(fixed).dead).toBe(0);
  await bench.deliver(fixed, messagesOf(redrive));
  redrive.finish();
  expect(bench.flow(fixed).dead).toBe(7);
  expect(bench.numbers.length).toBe(1);
});

test("unknown numbers, none and a number twice", () => {
  const bench = new Bench();
  const shard = bench.shard(fixed);
  for (const numbers of [[], [1, 1, -5, 1e9]]) {
    const redrive = new Redrive(fixed, shard, numbers);
    expect([redrive.sends, redrive.finish()]).toEqual([[], 0]);
  }
  expect(bench.store.rowsWritten).toBe(0);
});
