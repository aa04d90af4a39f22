/** StageExecutor: runs slow code on events, bounded; a message is done when all it holds is committed, and once. */
import { describe, expect, test } from "vitest";
import { VirtualClock } from "../../src/clock.ts";
import type { Envelope } from "../../src/engine/envelope.ts";
import { encodeEnvelope, unseal } from "../../src/engine/envelope.ts";
import type { Segment } from "../../src/engine/segment.ts";
import { ProducerKind } from "../../src/engine/segment.ts";
import type { ShardCall, ShardReply } from "../../src/engine/shard/protocol.ts";
import { readProgress } from "../../src/engine/shard/reader.ts";
import { StageExecutor } from "../../src/engine/stage-executor.ts";
import type { Collector, Event, FailurePolicy, OperatorContext, StageOptions } from "../../src/index.ts";
import { Job, planJobs, stage } from "../../src/index.ts";
import type { StagePlan } from "../../src/plan.ts";
import { MemoryStore } from "../../src/state/memory-store.ts";
import { emittedBy, lettersOf, Nowhere } from "./shard/support.ts";
import { NOW, operatorOf, P, Q, Records, shardOver } from "./support.ts";

type Apply = (
  data: string,
  collector: Collector<string>,
  event: Event<string>,
  context: OperatorContext,
) => void | Promise<void>;

const TAKEN: ShardReply = { lsn: 1, applied: 1, duplicates: 0, forgotten: [], unreadable: [] };

class Bench {
  readonly clock = new VirtualClock(NOW);
  readonly store = new MemoryStore();
  readonly calls: ShardCall[] = [];
  readonly errors: string[] = [];
  readonly waits: number[] = [];
  asked = 0;
  /** Comes before the shard takes a call: may throw, or answer in its place. */
  before: (call: ShardCall) => ShardReply | undefined = () => undefined;
  readonly plan;
  readonly stage: StagePlan;
  readonly shard;
  readonly executor;

  constructor(
    apply: Apply,
    {
      onError = "dead-letter",
      deliveryMs,
      ...options
    }: StageOptions & { onError?: FailurePolicy; deliveryMs?: number } = {},
  ) {
    const job = new Job("job", { onError });
    const located = job.addSource(new Records<string>("records")).applyOperator(
      stage<string, string>({
        name: "locate",
        ...options,
        apply: (event, collector, context) => apply(event.data, collector, event, context),
      }),
    );
    located.addSink(new Nowhere("out"));
    located.sideOutput<string>("unknown").addSink(new Nowhere("unknown"));
    this.plan = planJobs([job]);
    this.stage = operatorOf(this.plan, "locate") as StagePlan;
    this.shard = shardOver(this.store, this.plan, { operator: "locate", clock: this.clock });
    this.executor = new StageExecutor({
      plan: this.plan,
      clock: this.clock,
      shards: {
        apply: async (call) => {
          await Promise.resolve();
          this.calls.push(call);
          return this.before(call) ?? this.shard.apply(call);
        },
        progress: async (_operator, _shard, segments) => {
          this.asked++;
          return readProgress(this.shard, segments);
        },
      },
      wait: async (ms) => {
        this.waits.push(ms);
        this.clock.advance(ms);
      },
      random: () => 1,
      onError: (error, about) => this.errors.push(`${about}: ${String(error)}`),
      ...(deliveryMs === undefined ? {} : { deliveryMs }),
    });
  }

  /** Consumes messages; gives what became of each. */
  async consume(messages: readonly string[], attempts = 1): Promise<string[]> {
    const outcomes = messages.map(() => "nothing");
    await this.executor.consume(
      this.stage,
      messages.map((body, n) => {
        const settle = (outcome: string) => {
          if (outcomes[n] === "nothing") outcomes[n] = outcome;
        };
        return {
          id: `m${n}`,
          body,
          attempts,
          ack: () => settle("ack"),
          retry: (options) => settle(`retry ${options?.delaySeconds}`),
        };
      }),
    );
    return outcomes;
  }

  get emitted(): unknown[] {
    return emittedBy(this.shard).map(({ data }) => data);
  }
}

function segmentOf(sequence: number, data: readonly string[], more: Partial<Segment> = {}): Segment {
  const records = data.flatMap((one, n) => ["", [`e${sequence}.${n}`, NOW, one], 1]);
  return {
    producer: P,
    sequence,
    kind: ProducerKind.isolate,
    arrival: NOW,
    events: data.length,
    before: 0,
    parts: [{ operator: "locate", shards: 1, byShard: [{ shard: 0, records, dropped: 0, dead: [] }] }],
    ...more,
  };
}

function messageOf(segments: readonly Segment[], more: Partial<Envelope> = {}): string {
  return encodeEnvelope({ generation: 1, fingerprint: "f1", source: "records", segments, ...more });
}

const echo: Apply = (data, collector) => collector.emit(data);

describe("a message", () => {
  test("is acknowledged when its outcome is committed, which it is in one commit if it is fast", async () => {
    const bench = new Bench((data, collector, event, context) => {
      collector.emit(`${data} ${event.id} ${event.time - NOW} ${context.operator}`);
      collector.emitTo("unknown", `side ${data}`);
    });
    expect(await bench.consume([messageOf([segmentOf(0, ["a", "b"])])])).toEqual(["ack"]);
    expect(emittedBy(bench.shard).map(({ id, data }) => [id, data])).toEqual([
      ["e0.0", "a e0.0 0 locate"],
      ["e0.1", "b e0.1 0 locate"],
      ["e0.0/1", "side a"],
      ["e0.1/1", "side b"],
    ]);
    expect([bench.calls.length, bench.shard.lsn, bench.asked]).toEqual([1, 1, 0]);
    expect(bench.shard.counters.flows.records).toMatchObject({ applied: 2, dead: 0 });
  });

  test("that comes again is acknowledged without a second effect, and on a retry without running anything", async () => {
    let runs = 0;
    const bench = new Bench((data, collector) => {
      runs++;
      collector.emit(`${data} run ${runs}`);
    });
    const message = messageOf([segmentOf(0, ["a"])]);
    await bench.consume([message]);
    expect(await bench.consume([message])).toEqual(["ack"]);
    expect([runs, bench.emitted]).toEqual([2, ["a run 1"]]);
    expect(await bench.consume([message], 2)).toEqual(["ack"]);
    expect([runs, bench.emitted, bench.asked]).toEqual([2, ["a run 1"], 1]);
  });

  test("may hold several segments, bare ones too, and closes their gaps", async () => {
    const bench = new Bench(echo);
    const bare = { parts: [] };
    const message = messageOf([
      segmentOf(1, ["a"]),
      segmentOf(0, [], bare),
      segmentOf(2, [], bare),
      segmentOf(0, ["b"], { producer: Q }),
    ]);
    expect(await bench.consume([message])).toEqual(["ack"]);
    expect(bench.emitted.toSorted()).toEqual(["a", "b"]);
    expect([bench.shard.applied.record(P)?.prefix, bench.shard.applied.record(Q)?.prefix]).toEqual([3, 1]);
  });

  test("settles by itself: a bad neighbour does not hold it up", async () => {
    const bench = new Bench(echo);
    const routed = segmentOf(9, ["x"]);
    const [part] = routed.parts;
    const outcomes = await bench.consume(
      [
        messageOf([segmentOf(0, ["a"])]),
        "garbage",
        messageOf([segmentOf(1, ["b"])], { generation: 2 }),
        messageOf([
          { ...routed, parts: [{ ...part!, shards: 2, byShard: [{ ...part!.byShard[0]!, shard: 1 }] }] },
        ]),
        messageOf([segmentOf(2, ["c"])]),
      ],
      3,
    );
    expect(outcomes).toEqual(["ack", "retry 8", "retry 8", "retry 8", "ack"]);
    expect(bench.emitted.toSorted()).toEqual(["a", "c"]);
    expect(bench.errors.map((error) => error.slice(0, 24))).toEqual(
      [1, 2, 3].map((n) => `stage locate, message m${n}`),
    );
  });

  test("whose shard fails, or has forgotten, is delivered again, later and later", async () => {
    const bench = new Bench(echo);
    const message = messageOf([segmentOf(0, ["a"])]);
    bench.before = () => {
      throw new Error("down");
    };
    expect([await bench.consume([message], 1), await bench.consume([message], 5)]).toEqual([
      ["retry 2"],
      ["retry 32"],
    ]);
    bench.before = ({ segments }) => ({ ...TAKEN, forgotten: segments });
    expect(await bench.consume([message])).toEqual(["retry 2"]);
    bench.before = ({ segments }) => ({ ...TAKEN, unreadable: segments });
    expect(await bench.consume([message])).toEqual(["retry 2"]);
    bench.before = () => undefined;
    expect([await bench.consume([message]), bench.emitted]).toEqual([["ack"], ["a"]]);
  });
});

describe("a busy shard", () => {
  test("is asked again for a while, without running the code again", async () => {
    let runs = 0;
    const bench = new Bench((data, collector) => {
      runs++;
      collector.emit(data);
    });
    bench.before = () => (bench.calls.length < 4 ? { ...TAKEN, busy: true } : undefined);
    expect(await bench.consume([messageOf([segmentOf(0, ["a"])])])).toEqual(["ack"]);
    expect([runs, bench.waits, bench.emitted]).toEqual([1, [500, 500, 500], ["a"]]);
  });

  test("that stays busy sends the message back, soon at first", async () => {
    const bench = new Bench(echo);
    bench.before = () => ({ ...TAKEN, busy: true });
    const message = messageOf([segmentOf(0, ["a"])]);
    expect([await bench.consume([message], 2), await bench.consume([message], 12)]).toEqual([
      ["retry 4"],
      ["retry 30"],
    ]);
    expect(bench.emitted).toEqual([]);
  });
});

describe("an event that throws", () => {
  const flaky = (fails: Readonly<Record<string, number>>) => {
    const tries = new Map<string, number>();
    return (data: string, collector: Collector<string>) => {
      collector.emit(`half ${data}`);
      const before = tries.get(data) ?? 0;
      tries.set(data, before + 1);
      if (before < (fails[data] ?? 0)) throw new Error(`no ${data}`);
      collector.emit(`whole ${data} after ${before}`);
    };
  };

  test("is tried again as often as the stage says, and what a failed try emitted is gone", async () => {
    const bench = new Bench(flaky({ a: 2 }), { retries: 2 });
    await bench.consume([messageOf([segmentOf(0, ["a", "b"])])]);
    expect(bench.emitted.toSorted()).toEqual(["half a", "half b", "whole a after 2", "whole b after 0"]);
    expect(bench.waits).toEqual([200, 400]);
  });

  test("for good is a dead letter, with its neighbours done, and the message is acknowledged", async () => {
    const bench = new Bench(flaky({ a: 9 }), { retries: 1 });
    expect(await bench.consume([messageOf([segmentOf(0, ["a", "b"])])])).toEqual(["ack"]);
    expect(bench.emitted).toEqual(["half b", "whole b after 0"]);
    expect(lettersOf(bench.shard)).toMatchObject([
      { source: "records", operator: "locate", error: "no a", n: 1, event: { id: "e0.0", data: "a" } },
    ]);
    expect(bench.shard.counters.flows.records).toMatchObject({ applied: 1, dead: 1 });
  });

  test("with a rejection, or by emitting what cannot be written down, is the same", async () => {
    const circular: unknown[] = [];
    circular.push(circular);
    const bench = new Bench(
      (data, collector) => {
        if (data === "circular") collector.emit(circular as never);
        if (data === "bigint") collector.emit(1n as never);
        if (data === "rejects") return Promise.reject(new Error("503"));
        if (data === "throws nothing") throw undefined;
        return undefined;
      },
      { retries: 0 },
    );
    const data = ["circular", "bigint", "rejects", "throws nothing"];
    expect(await bench.consume([messageOf([segmentOf(0, data)])])).toEqual(["ack"]);
    expect(lettersOf(bench.shard).map(({ event }) => event?.data)).toEqual(data);
  });

  test("where the policy is to fail is refused: its neighbours are committed, and the message comes again", async () => {
    const fails = { b: 3 };
    const bench = new Bench(flaky(fails), { retries: 0, onError: "fail" });
    const message = messageOf([segmentOf(0, ["a", "b", "c"])]);
    expect(await bench.consume([message])).toEqual(["retry 2"]);
    expect(bench.errors).toEqual([
      "stage locate, message m0: OperatorFailedError: operator locate failed: no b",
    ]);
    expect(readProgress(bench.shard, [{ producer: P, sequence: 0 }])).toEqual([[0, 2]]);
    for (let n = 2; n < 4; n++) expect(await bench.consume([message], n)).toEqual([`retry ${2 ** n}`]);
    expect(await bench.consume([message], 4)).toEqual(["ack"]);
    expect(bench.emitted.filter((data) => String(data).startsWith("whole"))).toEqual([
      "whole a after 0",
      "whole c after 0",
      "whole b after 3",
    ]);
    expect(lettersOf(bench.shard)).toEqual([]);
  });

  test("that emits after it has returned is told so, and nothing of it goes on", async () => {
    let late: (() => void) | undefined;
    const bench = new Bench((data, collector) => {
      late = () => collector.emit(`late ${data}`);
    });
    await bench.consume([messageOf([segmentOf(0, ["a"])])]);
    expect(late).toThrow(/after apply had returned/);
    expect(bench.emitted).toEqual([]);
  });
});

describe("concurrency", () => {
  test.each([1, 3, 100])(
    "of %i bounds the events of a whole batch, over messages and segments",
    async (concurrency) => {
      let running = 0;
      let most = 0;
      const bench = new Bench(
        async (data, collector) => {
          most = Math.max(most, ++running);
          for (let n = 0; n < (data.length % 5) + 1; n++) await Promise.resolve();
          running--;
          if (data.endsWith("7")) throw new Error("unlucky");
          collector.emit(data);
        },
        { concurrency, retries: 1 },
      );
      const messages = Array.from({ length: 6 }, (_, m) =>
        messageOf(
          [0, 1].map((s) =>
            segmentOf(
              m * 2 + s,
              Array.from({ length: 5 }, (_, n) => `${m}.${s}.${"x".repeat(n)}${n + m}`),
            ),
          ),
        ),
      );
      expect(new Set(await bench.consume(messages))).toEqual(new Set(["ack"]));
      expect(most).toBe(Math.min(concurrency, 60));
      expect(bench.emitted.length + lettersOf(bench.shard).length).toBe(60);
      expect(lettersOf(bench.shard).length).toBeGreaterThan(0);
    },
  );

  test("of nobody goes on when a batch is over, also where a commit fails in the middle", async () => {
    let running = 0;
    const gates: (() => void)[] = [];
    const bench = new Bench(
      async (data, collector) => {
        running++;
        if (data !== "first") await new Promise<void>((resolve) => gates.push(resolve));
        bench.clock.advance(1_001);
        running--;
        collector.emit(data);
      },
      { concurrency: 3 },
    );
    bench.before = () => {
      throw new Error("down");
    };
    const consumed = bench
      .consume([messageOf([segmentOf(0, ["first", "b", "c", "d", "e", "f"])])])
      .then((outcomes) => [outcomes, running]);
    for (let n = 0; n < 20; n++) {
      await new Promise((next) => setImmediate(next));
      gates.splice(0).forEach((open) => open());
    }
    expect(await consumed).toEqual([["retry 2"], 0]);
    // A run that is lost starts nothing more.
    expect(bench.clock.now() - NOW).toBeLessThan(5 * 1_001);
  });
});

describe("a slow segment", () => {
  const slowly =
    (ms: number, log: string[] = []): Apply =>
    (data, collector) => {
      log.push(data);
      bench.clock.advance(ms);
      collector.emit(data);
    };
  let bench: Bench;
  const positions = () =>
    bench.calls.map(({ segments }) => {
      const [segment] = segments;
      const { records } = unseal(segment?.content as string);
      const list = records.filter((_, n) => n % 3 === 0).join("");
      return segment?.open === true ? `${list}+` : list;
    });

  test("is committed in parts, about every second, and closed at the end", async () => {
    bench = new Bench(slowly(600));
    const data = Array.from({ length: 7 }, (_, n) => `${n}`);
    expect(await bench.consume([messageOf([segmentOf(0, data)])])).toEqual(["ack"]);
    expect(positions()).toEqual(["01+", "23+", "45+", "6"]);
    expect([bench.emitted, readProgress(bench.shard, [{ producer: P, sequence: 0 }])]).toEqual([
      data,
      ["all"],
    ]);
  });

  test("that a delivery has no time for is committed as far as it came, and the next one goes on there", async () => {
    const log: string[] = [];
    bench = new Bench(slowly(600, log), { deliveryMs: 2_000 });
    const data = Array.from({ length: 7 }, (_, n) => `${n}`);
    const message = messageOf([segmentOf(0, data)]);
    expect(await bench.consume([message])).toEqual(["retry 0"]);
    expect([log.splice(0), bench.emitted]).toEqual([
      ["0", "1", "2", "3"],
      ["0", "1", "2", "3"],
    ]);
    expect(await bench.consume([message], 2)).toEqual(["ack"]);
    expect([log, bench.emitted, bench.errors]).toEqual([["4", "5", "6"], data, []]);
    expect(bench.shard.counters.flows.records).toMatchObject({ applied: 7, dead: 0 });
    expect(bench.shard.applied.record(P)).toMatchObject({ counted: 7, settled: 7 });
  });

  test("whose run dies goes on with what was committed, and counts the rest once", async () => {
    const log: string[] = [];
    bench = new Bench(slowly(600, log));
    bench.before = () => {
      if (bench.calls.length === 3) throw new Error("down");
      return undefined;
    };
    const data = Array.from({ length: 7 }, (_, n) => `${n}`);
    const message = messageOf([segmentOf(0, data, { kind: ProducerKind.client })]);
    expect(await bench.consume([message])).toEqual(["retry 2"]);
    expect(bench.emitted).toEqual(["0", "1", "2", "3"]);
    log.splice(0);
    expect(await bench.consume([message], 2)).toEqual(["ack"]);
    expect([log, bench.emitted]).toEqual([["4", "5", "6"], data]);
    expect(bench.shard.applied.record(P)).toMatchObject({ counted: 7, settled: 7 });
  });

  test("of which all was committed but the end is only closed", async () => {
    const log: string[] = [];
    bench = new Bench(slowly(600, log));
    bench.before = ({ segments }) => {
      if (segments[0]?.open !== true) throw new Error("down");
      return undefined;
    };
    const message = messageOf([segmentOf(0, ["0", "1", "2"])]);
    await bench.consume([message]);
    bench.before = () => undefined;
    await bench.consume([message], 2);
    expect(bench.emitted).toEqual(["0", "1", "2"]);
    log.splice(0);
    expect(await bench.consume([message], 3)).toEqual(["ack"]);
    expect(log).toEqual([]);
  });
});

test("what was dropped or dead before it came to the stage counts with its segment", async () => {
  const bench = new Bench(echo);
  const dead = [{ operator: "map", error: "no", event: { id: "m", time: 0, data: 1 }, n: 1 }];
  const parts = [{ operator: "locate", shards: 1, byShard: [{ shard: 0, records: [], dropped: 3, dead }] }];
  expect(await bench.consume([messageOf([segmentOf(0, [], { parts, events: 4 })])])).toEqual(["ack"]);
  expect(bench.shard.counters.flows.records).toMatchObject({ applied: 3, dead: 1 });
});
