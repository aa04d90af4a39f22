/** ShardHost: does what is due, isolates one task from the other, and changes nothing any more once it has failed. */
import { describe, expect, test } from "vitest";
import { VirtualClock } from "../../../src/clock.ts";
import { ShardHost } from "../../../src/engine/shard/host.ts";
import type { ShardCall, ShardReply } from "../../../src/engine/shard/protocol.ts";
import { RejectedBatchError, ShardRefusedError } from "../../../src/errors.ts";
import type {
  Collector,
  Event,
  FailurePolicy,
  ProcessContext,
  Pulled,
  SinkBatch,
  Timer,
} from "../../../src/index.ts";
import { Job, ProcessFunction, PullSource, planJobs, Sink } from "../../../src/index.ts";
import { MemoryStore } from "../../../src/state/memory-store.ts";
import { Crash, CrashingStore } from "../../simulation/crashing-store.ts";
import { call, NOW, Records, shardOver } from "../support.ts";
import { eventSegment, lettersOf } from "./support.ts";

let timerHook: (timer: Timer) => void = () => undefined;

class Alarms extends ProcessFunction<number, string> {
  apply({ data, id }: Event<number>, collector: Collector<string>, { timers }: ProcessContext): void {
    timers.set(id, NOW + data);
    if (data < 0) collector.emitTo("side", data);
    else collector.emit(`set ${data}`);
  }
  override onTimer(timer: Timer, collector: Collector<string>): void {
    timerHook(timer);
    collector.emit(`fired ${timer.name}`);
  }
}

class Writing extends Sink<unknown> {
  readonly batches: SinkBatch<unknown>[] = [];
  fail: () => void = () => undefined;
  async write(batch: SinkBatch<unknown>): Promise<void> {
    this.batches.push(batch);
    await Promise.resolve();
    this.fail();
  }
}

class Numbers extends PullSource<number, number> {
  asked = 0;
  ask: () => void = () => undefined;
  async getEvents({
    offset = 0,
    now,
  }: {
    offset: number | undefined;
    now: number;
  }): Promise<Pulled<number, number>> {
    this.asked++;
    await Promise.resolve();
    this.ask();
    return { events: [{ data: offset }], offset: offset + 1, next: now + 100 };
  }
}

const TAKEN: ShardReply = { lsn: 1, applied: 1, duplicates: 0, forgotten: [], unreadable: [] };

class Bench {
  readonly clock = new VirtualClock(NOW);
  readonly store = new CrashingStore(new MemoryStore());
  readonly sink = new Writing("out");
  readonly numbers = new Numbers("numbers");
  readonly calls: ShardCall[] = [];
  readonly errors: string[] = [];
  readonly broken: unknown[] = [];
  reply: (call: ShardCall) => ShardReply | Promise<ShardReply> = () => TAKEN;
  readonly host;
  readonly operator: "alarms" | "out" | "numbers";
  #sequence = 0;

  constructor(operator: "alarms" | "out" | "numbers", onError: FailurePolicy = "dead-letter") {
    this.operator = operator;
    timerHook = () => undefined;
    const job = new Job("job", { onError });
    const out = job
      .addSource(new Records<number>("records"))
      .keyBy((data) => `k${data}`)
      .applyOperator(new Alarms("alarms", { shards: 1 }));
    out.addSink(this.sink);
    out.sideOutput("side").addSink(new Writing("side"));
    job.addSource(this.numbers).addSink(this.sink as Sink<number>);
    const plan = planJobs([job]);
    const limits = { outboxBytes: 5_000 };
    this.host = new ShardHost({
      plan,
      shard: shardOver(this.store, plan, { operator, clock: this.clock, limits }),
      ports: {
        apply: async (one) => {
          this.calls.push(one);
          return this.reply(one);
        },
        queue: () => expect.unreachable(),
        want: () => expect.unreachable(),
        env: {},
        onError: (error, about) => this.errors.push(`${about}: ${String(error)}`),
      },
      onBroken: (error) => this.broken.push(error),
    });
  }

  give(...data: readonly unknown[]): ShardReply {
    const given = data.map((one) => ({ key: `k${one}`, id: `t${one}`, data: one }));
    return this.host.apply(call([eventSegment(this.#sequence++, given)], { operator: this.operator }));
  }

  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    await this.host.run();
  }

  /** Time from now until something is due. */
  get due(): number | undefined {
    const due = this.host.nextDue();
    return due === undefined ? undefined : Math.max(0, due - this.clock.now());
  }
}

describe("what is due", () => {
  test("is nothing at first, then now what was emitted, then the first timer, then what that emits", async () => {
    const bench = new Bench("alarms");
    expect(bench.due).toBeUndefined();
    await bench.host.run();
    bench.give(50, 20);
    expect(bench.due).toBe(0);
    await bench.host.run();
    expect([bench.calls.length, bench.due]).toEqual([1, 20]);
    await bench.pass(20);
    // The run waits for what the timer has emitted, too.
    expect([bench.calls.length, bench.due]).toEqual([2, 30]);
    await bench.pass(30);
    expect([bench.calls.length, bench.due, bench.errors]).toEqual([3, undefined, []]);
  });

  test("a task that is under way is not started a second time, and is waited for", async () => {
    const bench = new Bench("numbers");
    const gate = Promise.withResolvers<ShardReply>();
    bench.reply = () => gate.promise;
    const runs = [bench.host.run(), bench.host.run(), bench.host.run()];
    await new Promise((next) => setImmediate(next));
    expect(bench.numbers.asked).toBe(1);
    let over = false;
    const last = bench.host.run().then(() => {
      over = true;
    });
    await new Promise((next) => setImmediate(next));
    expect(over).toBe(false);
    gate.resolve(TAKEN);
    await Promise.all([...runs, last]);
    expect([bench.numbers.asked, bench.calls.length]).toEqual([1, 1]);
  });
});

test("a destination that hangs does not keep from another one what comes later", async () => {
  const bench = new Bench("alarms");
  const gate = Promise.withResolvers<ShardReply>();
  bench.reply = ({ operator }) => (operator === "out" ? gate.promise : TAKEN);
  bench.give(50);
  const runs = [bench.host.run()];
  bench.give(-5);
  runs.push(bench.host.run());
  await new Promise((next) => setImmediate(next));
  expect(bench.calls.map(({ operator }) => operator)).toEqual(["out", "side"]);
  expect(bench.host.shard.outbox.destinations).toEqual(["out/0"]);
  gate.resolve(TAKEN);
  await Promise.all(runs);
  expect(bench.host.shard.outbox.size).toBe(0);
});

describe("a task that fails", () => {
  test("(the outbox) does not stop the timers", async () => {
    const bench = new Bench("alarms");
    bench.reply = () => {
      throw new Error("down");
    };
    bench.give(10);
    await bench.pass(10);
    expect([...bench.host.shard.timers.entries()]).toEqual([]);
    expect(bench.errors[0]).toBe("outbox of alarms/0 to out/0: Error: down");
    expect(bench.due).toBe(1_000);
    expect(bench.broken).toEqual([]);
  });

  test("(timers, by policy) does not stop the outbox, and is tried again with backoff", async () => {
    const bench = new Bench("alarms", "fail");
    timerHook = () => {
      throw new Error("bad timer");
    };
    bench.give(10);
    await bench.pass(10);
    expect([bench.calls.length, bench.host.shard.outbox.size]).toEqual([1, 0]);
    expect(bench.errors).toEqual(["alarms/0: timers: ShardRefusedError: operator alarms failed: bad timer"]);
    const waits = [bench.due];
    for (let n = 0; n < 2; n++) {
      await bench.pass(bench.due as number);
      waits.push(bench.due);
    }
    expect([waits, bench.broken]).toEqual([[1_000, 2_000, 4_000], []]);
    timerHook = () => undefined;
    await bench.pass(4_000);
    expect([bench.due, bench.calls.length]).toEqual([undefined, 2]);
  });

  test("(a sink) writes the same batch again, later and later, until it is taken", async () => {
    const bench = new Bench("out");
    bench.sink.fail = () => {
      throw new Error("503");
    };
    bench.give("a");
    const waits: (number | undefined)[] = [];
    for (let n = 0; n < 3; n++) {
      await bench.pass(bench.due as number);
      waits.push(bench.due);
      bench.give(`more ${n}`);
    }
    bench.sink.fail = () => undefined;
    await bench.pass(bench.due as number);
    expect(waits).toEqual([1_000, 2_000, 4_000]);
    expect(bench.sink.batches.map(({ id, events }) => [id, events.length])).toEqual([
      ["out/0/1", 1],
      ["out/0/1", 1],
      ["out/0/1", 1],
      ["out/0/1", 1],
      ["out/0/2", 3],
    ]);
    expect([bench.due, bench.errors.length]).toEqual([undefined, 3]);
  });

  test("(a sink that rejects) has its events dead and goes on", async () => {
    const bench = new Bench("out");
    bench.sink.fail = () => {
      if (bench.sink.batches.length === 1) throw new RejectedBatchError("no such table");
    };
    bench.give("a", "b");
    await bench.host.run();
    bench.give("c");
    await bench.host.run();
    expect(lettersOf(bench.host.shard).map(({ error, event }) => [error, event?.data])).toEqual([
      ["no such table", "a"],
      ["no such table", "b"],
    ]);
    expect([bench.sink.batches.length, bench.due, bench.errors]).toEqual([2, undefined, []]);
  });

  test("(a pull source) is asked again with the offset of before, later and later", async () => {
    const bench = new Bench("numbers");
    await bench.host.run();
    bench.numbers.ask = () => {
      throw new Error("503");
    };
    expect(bench.due).toBe(100);
    await bench.pass(100);
    await bench.pass(bench.due as number);
    expect([bench.numbers.asked, bench.due]).toEqual([3, 2_000]);
    bench.numbers.ask = () => undefined;
    await bench.pass(2_000);
    expect([bench.numbers.asked, bench.due, bench.errors.length]).toEqual([4, 100, 2]);
    expect(bench.host.shard.state.get("offset")).toMatchObject({ offset: 2 });
  });
});

describe("when what is emitted does not leave", () => {
  test("the shard is busy, timers and pull sources wait, and go on when it has", async () => {
    for (const operator of ["alarms", "numbers"] as const) {
      const bench = new Bench(operator);
      bench.reply = () => ({ ...TAKEN, busy: true });
      if (operator === "alarms") bench.give(...Array.from({ length: 150 }, () => 10), 77);
      for (let n = 0; n < 200; n++) await bench.pass(Math.max(1, bench.due ?? 1));
      expect(bench.host.shard.busy).toBe(true);
      const { lsn } = bench.host.shard;
      const { asked } = bench.numbers;
      for (let n = 0; n < 5; n++) await bench.pass(70_000);
      expect([bench.host.shard.lsn, bench.numbers.asked]).toEqual([lsn, asked]);
      if (operator === "alarms") expect(bench.give(1)).toMatchObject({ busy: true });
      bench.reply = () => TAKEN;
      await bench.pass(70_000);
      await bench.pass(70_000);
      expect(bench.host.shard.busy).toBe(false);
      expect(bench.host.shard.lsn).toBeGreaterThan(lsn);
      expect([...bench.host.shard.timers.entries()]).toEqual([]);
      expect(bench.errors).toEqual([]);
    }
  });
});

describe("guard", () => {
  test("lets a refusal pass: nothing has changed", () => {
    const bench = new Bench("alarms");
    expect(() => bench.host.apply(call([], { operator: "other" }))).toThrow(ShardRefusedError);
    expect(bench.give(1)).toMatchObject({ applied: 1 });
    expect(bench.broken).toEqual([]);
  });

  test("closes the host when its store fails: no call and no task changes anything any more", async () => {
    const bench = new Bench("alarms");
    bench.give(10);
    await bench.host.run();
    bench.store.writesLeft = 0;
    expect(() => bench.give(20)).toThrow(Crash);
    expect(bench.broken).toEqual([expect.any(Crash)]);
    expect(() => bench.give(20)).toThrow("this shard was closed");
    expect(() => bench.host.guard((shard) => shard.checkpoint())).toThrow("this shard was closed");
    const rows = bench.store.rowsWritten;
    await bench.pass(10_000);
    expect([bench.store.rowsWritten, bench.calls.length, bench.broken.length]).toEqual([rows, 1, 1]);
  });

  test("a task that fails in the shard closes it, and what it waits for afterwards is not committed", async () => {
    const bench = new Bench("out");
    bench.give("a");
    bench.sink.fail = () => {
      bench.store.writesLeft = 0;
    };
    await bench.host.run();
    expect([bench.broken.length, bench.errors.length]).toEqual([1, 1]);
    const later = new Bench("out");
    later.give("a");
    later.sink.fail = () => later.host.close();
    const { lsn } = later.host.shard;
    await later.host.run();
    expect(later.errors).toEqual(["out/0: sink: Error: this shard was closed"]);
    // The batch is fixed, and not finished.
    expect([later.host.shard.lsn, later.host.shard.counters.sink?.batch?.number]).toEqual([lsn + 1, 1]);
    expect(later.broken).toEqual([]);
  });
});
