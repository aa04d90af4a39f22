/** OutboxTask: hands over in order, once more where it cannot be told, and nobody waits for somebody else's destination. */
import { describe, expect, test } from "vitest";
import { VirtualClock } from "../../../../src/clock.ts";
import { openEnvelope, unseal } from "../../../../src/engine/envelope.ts";
import { ProducerKind } from "../../../../src/engine/segment.ts";
import { channelProducer } from "../../../../src/engine/shard/outbox.ts";
import type { ShardCall, ShardReply } from "../../../../src/engine/shard/protocol.ts";
import { OutboxTask } from "../../../../src/engine/shard/tasks/outbox-task.ts";
import type { Collector, Event, Plan, PlanOptions } from "../../../../src/index.ts";
import { Job, ProcessFunction, planJobs, stage } from "../../../../src/index.ts";
import { MemoryStore } from "../../../../src/state/memory-store.ts";
import { call, NOW, Records, shardOver } from "../../support.ts";
import { eventSegment, eventsOf, Nowhere, StrictQueue } from "../support.ts";

/** Emits each event to the side output that its data starts with. */
class Fork extends ProcessFunction<string, string> {
  apply({ data }: Event<string>, collector: Collector<string>): void {
    collector.emitTo(data.slice(0, 1), data);
  }
}

function forking(outputs = ["a", "b", "w"], options: PlanOptions = {}): Plan {
  const job = new Job("job");
  const fork = job
    .addSource(new Records<string>("records"))
    .keyBy((data) => data)
    .applyOperator(new Fork("fork", { shards: 2 }));
  for (const output of outputs) {
    const side = fork.sideOutput<string>(output);
    if (output === "w") side.applyOperator(stage<string>({ name: "waits", apply: () => undefined }));
    else side.addSink(new Nowhere(output));
  }
  return planJobs([job], options);
}

const TAKEN: ShardReply = { lsn: 1, applied: 1, duplicates: 0, forgotten: [], unreadable: [] };

class Bench {
  readonly clock = new VirtualClock(NOW);
  readonly store = new MemoryStore();
  readonly calls: ShardCall[] = [];
  readonly queue = new StrictQueue();
  readonly errors: string[] = [];
  reply: (call: ShardCall) => ShardReply | Promise<ShardReply> = () => TAKEN;
  shard;
  task;
  #sequence = 0;

  readonly plan: Plan;

  constructor(plan = forking()) {
    this.plan = plan;
    this.shard = this.#open(plan);
    this.task = this.#taskOf(plan);
  }

  #open(plan: Plan) {
    return shardOver(this.store, plan, { operator: "fork", shard: 1, clock: this.clock });
  }

  #taskOf(plan: Plan) {
    return new OutboxTask(plan, this.shard, {
      apply: async (one) => {
        this.calls.push(one);
        return this.reply(one);
      },
      queue: () => this.queue,
      want: () => expect.unreachable(),
      env: {},
      onError: (error, about) => this.errors.push(`${about}: ${String(error)}`),
    });
  }

  /** Wakes up under a plan of today. */
  deploy(plan: Plan): this {
    this.shard = this.#open(plan);
    this.task = this.#taskOf(plan);
    return this;
  }

  give(...data: readonly string[]): this {
    const given = data.map((one) => ({ key: one, data: one }));
    const own = { operator: "fork", shard: 1, shards: 2 };
    this.shard.apply(call([eventSegment(this.#sequence++, given)], own));
    return this;
  }

  /** What was handed to `operator` by calls, call by call. */
  to(operator: string): unknown[][] {
    return this.calls
      .filter((one) => one.operator === operator)
      .map(({ segments }) =>
        eventsOf(segments.map(({ content }) => ({ content: content as string }))).map(({ data }) => data),
      );
  }
}

describe("to a shard", () => {
  test("what has gathered goes in one call, in order, under the channel's identity", async () => {
    const bench = new Bench();
    expect(bench.task.dueAt()).toBeUndefined();
    bench.give("a1", "a2").give("b1").give("a3");
    expect(bench.task.dueAt()).toBe(0);
    await bench.task.run();
    expect([bench.to("a"), bench.to("b")]).toEqual([[["a1", "a2", "a3"]], [["b1"]]]);
    expect(bench.calls[0]).toEqual({
      v: 1,
      generation: 1,
      operator: "a",
      shard: 0,
      shards: 1,
      segments: [0, 1].map((sequence) => ({
        producer: channelProducer(1, "fork/1", "a/0"),
        sequence,
        kind: ProducerKind.channel,
        source: "fork",
        arrival: NOW,
        events: sequence === 0 ? 2 : 1,
        before: sequence === 0 ? 0 : 2,
        anchored: true,
        content: expect.any(String),
      })),
    });
    expect([bench.shard.outbox.size, bench.task.dueAt(), bench.errors]).toEqual([0, undefined, []]);
    await bench.task.run();
    expect(bench.calls.length).toBe(2);
  });

  test("what comes while a call is under way goes with the next", async () => {
    const bench = new Bench();
    bench.reply = () => {
      if (bench.calls.length === 1) bench.give("a2").give("a3");
      return TAKEN;
    };
    bench.give("a1");
    await bench.task.run();
    expect([bench.to("a"), bench.shard.outbox.size]).toEqual([[["a1"], ["a2", "a3"]], 0]);
  });

  test("what is more than a call should hold goes in several, nothing is confirmed that was not taken", async () => {
    const bench = new Bench();
    const long = Array.from({ length: 40 }, (_, n) => `a${n} ${"x".repeat(80_000)}`);
    for (const one of long) bench.give(one);
    bench.reply = () => {
      if (bench.calls.length === 3) throw new Error("down");
      return TAKEN;
    };
    await bench.task.run();
    const handed = bench.to("a").slice(0, 2).flat();
    expect(handed).toEqual(long.slice(0, handed.length));
    expect(bench.shard.outbox.pending("a/0", 1)[0]?.sequence).toBe(handed.length);
    for (const { segments } of bench.calls)
      expect(segments.reduce((sum, { content }) => sum + (content?.length ?? 0), 0)).toBeLessThan(1_200_000);
  });

  test("a confirmation that is lost in a crash makes the same segments go again", async () => {
    const bench = new Bench();
    bench.give("a1", "a2");
    await bench.task.run();
    bench.deploy(bench.plan);
    expect(bench.shard.outbox.size).toBe(1);
    await bench.task.run();
    expect(bench.calls[1]).toEqual(bench.calls[0]);
    // With the next commit it is stored.
    bench.give("b1");
    bench.deploy(bench.plan);
    expect(bench.shard.outbox.destinations).toEqual(["b/0"]);
  });
});

describe("a destination that", () => {
  test("is busy is left alone for a few seconds, then goes on where it was", async () => {
    const bench = new Bench();
    let busy = true;
    bench.reply = ({ operator }) => (busy && operator === "a" ? { ...TAKEN, busy: true } : TAKEN);
    bench.give("a1", "b1");
    const waits: number[] = [];
    for (let n = 0; n < 8; n++) {
      await bench.task.run();
      await bench.task.run();
      const due = bench.task.dueAt() as number;
      waits.push(due - bench.clock.now());
      bench.clock.advance(due - bench.clock.now());
      bench.give("a more");
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 5_000, 5_000, 5_000, 5_000, 5_000]);
    expect([bench.to("a").length, bench.to("b")]).toEqual([8, [["b1"]]]);
    busy = false;
    await bench.task.run();
    expect(bench.to("a").at(-1)).toEqual(["a1", ...Array.from({ length: 8 }, () => "a more")]);
    bench.give("a2");
    expect(bench.task.dueAt()).toBe(0);
    expect(bench.errors).toEqual([]);
  });

  test("fails is told, holds up nobody else, and gets the same again", async () => {
    const bench = new Bench();
    bench.reply = ({ operator }) => {
      if (operator === "a") throw new Error("a is down");
      return TAKEN;
    };
    bench.give("a1", "b1", "wait");
    await bench.task.run();
    expect(bench.to("b")).toEqual([["b1"]]);
    expect(bench.queue.messages.length).toBe(1);
    expect(bench.errors).toEqual(["outbox of fork/1 to a/0: Error: a is down"]);
    expect(bench.task.dueAt()).toBe(NOW + 1_000);
    bench.reply = () => TAKEN;
    bench.clock.advance(1_000);
    await bench.task.run();
    expect([bench.to("a"), bench.shard.outbox.size]).toEqual([[["a1"], ["a1"]], 0]);
  });

  test.each(["forgotten", "unreadable"] as const)(
    "says that a segment is %s has not taken it",
    async (what) => {
      const bench = new Bench();
      bench.reply = ({ segments }) => ({ ...TAKEN, [what]: segments });
      bench.give("a1");
      await bench.task.run();
      expect([bench.shard.outbox.size, bench.errors]).toEqual([
        1,
        [expect.stringMatching(/a\/0 does not take segment 0 of fork\/1/)],
      ]);
    },
  );

  test("hangs holds up no other, also one for which something comes later", async () => {
    const bench = new Bench();
    const { promise, resolve } = Promise.withResolvers<ShardReply>();
    bench.reply = ({ operator }) => (operator === "a" ? promise : TAKEN);
    bench.give("a1");
    const run = bench.task.run();
    bench.give("b1", "a2");
    bench.task.more();
    await new Promise((next) => setImmediate(next));
    expect([bench.to("b"), bench.to("a")]).toEqual([[["b1"]], [["a1"]]]);
    bench.task.more();
    expect(bench.calls.length).toBe(2);
    resolve(TAKEN);
    await run;
    expect([bench.to("a"), bench.shard.outbox.size]).toEqual([[["a1"], ["a2"]], 0]);
  });

  test("is no more is kept for until it is back", async () => {
    const bench = new Bench();
    bench.give("a1", "b1");
    bench.deploy(forking(["b"]));
    await bench.task.run();
    expect([bench.to("b"), bench.shard.outbox.destinations]).toEqual([[["b1"]], ["a/0"]]);
    expect(bench.errors[0]).toMatch(/no operator "a" any more; bring it back, or list it as retired/);
    expect(bench.task.dueAt()).toBe(NOW + 1_000);
    bench.deploy(forking());
    await bench.task.run();
    expect(bench.to("a")).toEqual([["a1"]]);
  });

  test("is retired is done with: what was for it is dropped", async () => {
    const bench = new Bench();
    bench.give("a1", "b1");
    bench.deploy(forking(["b"], { retired: ["a"] }));
    await bench.task.run();
    expect([bench.to("a"), bench.to("b"), bench.shard.outbox.size, bench.errors]).toEqual([
      [],
      [["b1"]],
      0,
      [],
    ]);
  });
});

describe("to a stage", () => {
  test("goes by its queue, a message a segment, under the channel's identity", async () => {
    const bench = new Bench();
    bench.give("w1", "w2").give("w3");
    await bench.task.run();
    const envelopes = bench.queue.messages.map(openEnvelope);
    expect(bench.calls).toEqual([]);
    expect(envelopes).toMatchObject(
      [0, 1].map((sequence) => ({
        generation: 1,
        fingerprint: bench.plan.fingerprint,
        source: "fork",
        segments: [
          {
            producer: channelProducer(1, "fork/1", "waits/0"),
            sequence,
            kind: ProducerKind.channel,
            arrival: NOW,
            parts: [{ operator: "waits", shards: 1, byShard: [{ shard: 0 }] }],
          },
        ],
      })),
    );
    const contents = envelopes.flatMap(({ segments }) => segments[0]?.parts[0]?.byShard ?? []);
    expect(contents.map(({ content }) => unseal(content).records.length / 3)).toEqual([2, 1]);
    expect(bench.shard.outbox.size).toBe(0);
  });

  test.each(["x", "漢", '"', "\\", "\u0001"])(
    "fits what the queue takes at once, also of %j",
    async (letter) => {
      const bench = new Bench();
      for (let n = 0; n < 30; n++) bench.give(`w${letter.repeat(9_000)}`);
      for (let n = 0; n < 250; n++) bench.give("w");
      await bench.task.run();
      expect([bench.errors, bench.shard.outbox.size]).toEqual([[], 0]);
      const sequences = bench.queue.messages.flatMap((message) =>
        openEnvelope(message).segments.map(({ sequence }) => sequence),
      );
      expect(sequences).toEqual(Array.from({ length: 280 }, (_, n) => n));
      expect(bench.queue.sends.length).toBeLessThan(40);
    },
  );

  test("stays until the queue has taken it", async () => {
    const bench = new Bench();
    bench.queue.check = () => {
      throw new Error("queue down");
    };
    bench.give("w1", "b1");
    await bench.task.run();
    expect([bench.shard.outbox.destinations, bench.to("b")]).toEqual([["waits/0"], [["b1"]]]);
    bench.queue.check = () => undefined;
    bench.clock.advance(1_000);
    await bench.task.run();
    expect([bench.queue.messages.length, bench.shard.outbox.size]).toEqual([1, 0]);
  });
});
