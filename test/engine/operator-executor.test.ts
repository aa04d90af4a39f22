/** OperatorExecutor: acknowledges what all shards have committed and nothing else, and tells shards what holds nothing for them. */
import { describe, expect, test } from "vitest";
import { VirtualClock } from "../../src/clock.ts";
import type { Envelope } from "../../src/engine/envelope.ts";
import { encodeEnvelope } from "../../src/engine/envelope.ts";
import type { Delivery } from "../../src/engine/event-queue.ts";
import type { BuriedMessage, OperatorExecutorOptions } from "../../src/engine/operator-executor.ts";
import { OperatorExecutor } from "../../src/engine/operator-executor.ts";
import type { Segment, SegmentId, ShardPart } from "../../src/engine/segment.ts";
import { HORIZON, ProducerKind } from "../../src/engine/segment.ts";
import type { ShardCall } from "../../src/engine/shard/protocol.ts";
import type { Plan } from "../../src/index.ts";
import { count, Job, planJobs } from "../../src/index.ts";
import { NOW, P, Q, Records } from "./support.ts";

/** Two operators of two and three shards behind one source, and a second source that feeds only the second. */
function twoSources(): Plan {
  const job = new Job("job");
  const records = job.addSource(new Records("records"));
  records.keyBy(({ key }) => key).aggregate("first", count(), { shards: 2 });
  records.keyBy(({ key }) => key).aggregate("second", count(), { shards: 3 });
  job
    .addSource(new Records("others"))
    .keyBy(({ key }) => key)
    .aggregate("third", count(), { shards: 1 });
  return planJobs([job]);
}

const SHARDS: Readonly<Record<string, number>> = { first: 2, second: 3, third: 1 };

/** A segment that holds one record for each of these shards, written `first/0`. */
function segmentFor(sequence: number, places: readonly string[], more: Partial<Segment> = {}): Segment {
  const byOperator = new Map<string, ShardPart[]>();
  for (const place of places) {
    const [operator = "", shard] = place.split("/");
    const parts = byOperator.get(operator) ?? [];
    byOperator.set(operator, parts);
    parts.push({ shard: Number(shard), records: ["k", 1, 1], dropped: 0, dead: [] });
  }
  const parts = [...byOperator].map(([operator, byShard]) => ({
    operator,
    shards: SHARDS[operator] ?? 1,
    byShard,
  }));
  return {
    producer: P,
    sequence,
    kind: ProducerKind.isolate,
    arrival: NOW,
    events: 1,
    before: 0,
    parts,
    ...more,
  };
}

function body(segments: readonly Segment[], more: Partial<Envelope> = {}): string {
  return encodeEnvelope({ generation: 1, fingerprint: "f1", source: "records", segments, ...more });
}

class Bench {
  readonly clock = new VirtualClock(NOW);
  readonly calls: ShardCall[] = [];
  readonly buried: BuriedMessage[] = [];
  readonly errors: string[] = [];
  readonly outcomes = new Map<string, string>();
  /** Shards that fail, and what they have forgotten. */
  readonly failing = new Set<string>();
  forgotten: readonly SegmentId[] = [];
  claim: OperatorExecutorOptions["claims"]["claim"] = async (_producer, _fingerprint, sequences) =>
    sequences.map(() => true);
  graveyardFails = false;
  unreadable: SegmentId[] = [];
  readonly executor: OperatorExecutor;

  constructor(plan: Plan = twoSources()) {
    this.executor = new OperatorExecutor({
      plan,
      clock: this.clock,
      random: () => 1,
      shards: {
        apply: async (call) => {
          this.calls.push(structuredClone(call));
          const place = `${call.operator}/${call.shard}`;
          await Promise.resolve();
          if (this.failing.has(place)) throw new Error(`${place} is down`);
          expect(
            [...this.outcomes.values()].every(
              (outcome) => outcome === "buried" || outcome.startsWith("retry"),
            ),
          ).toBe(true);
          const has = (id: SegmentId) =>
            call.segments.some(
              ({ producer, sequence, content }) =>
                producer === id.producer && sequence === id.sequence && content !== null,
            );
          return {
            lsn: 1,
            applied: call.segments.length,
            duplicates: 0,
            forgotten: this.forgotten.filter(has),
            unreadable: this.unreadable.filter(has),
          };
        },
      },
      claims: { claim: (...args) => this.claim(...args) },
      graveyard: {
        bury: async (message) => {
          if (this.graveyardFails) throw new Error("graveyard");
          this.buried.push(message);
        },
      },
      onError: (error, about) => this.errors.push(`${about}: ${String(error)}`),
    });
  }

  /** Consumes messages by name; gives what became of each, and per shard the sequences that it was told: bare ones with content. */
  async consume(messages: Readonly<Record<string, unknown>>, attempts = 1): Promise<Record<string, string>> {
    this.outcomes.clear();
    this.calls.length = 0;
    await this.executor.consume(
      "queue",
      Object.entries(messages).map(([id, text]): Delivery => {
        const settle = (outcome: string) => {
          if (!this.outcomes.has(id)) this.outcomes.set(id, outcome);
        };
        return {
          id,
          body: text,
          attempts,
          ack: () => settle("ack"),
          retry: (options) => settle(`retry ${options?.delaySeconds}`),
        };
      }),
    );
    return Object.fromEntries(this.outcomes);
  }

  /** Per shard that was called: the sequences it got, those without content in brackets. */
  get told(): Record<string, string> {
    return Object.fromEntries(
      this.calls.map(({ operator, shard, segments }) => [
        `${operator}/${shard}`,
        segments
          .map(({ sequence, content }) => (content === null ? `(${sequence})` : `${sequence}`))
          .join(" "),
      ]),
    );
  }
}

test("an empty batch touches nobody", async () => {
  const bench = new Bench();
  expect(await bench.consume({})).toEqual({});
  expect(bench.calls).toEqual([]);
});

test("one call per shard, all shards at once, and every message acknowledged after them", async () => {
  const bench = new Bench();
  const messages = {
    a: body([segmentFor(0, ["first/0", "second/2"])]),
    b: body([segmentFor(1, ["first/0"]), segmentFor(2, ["first/1", "second/2"])]),
  };
  expect(await bench.consume(messages)).toEqual({ a: "ack", b: "ack" });
  expect(bench.told).toEqual({ "first/0": "0 1 (2)", "second/2": "0 (1) 2", "first/1": "(0) (1) 2" });
  expect(bench.calls.every(({ v, generation }) => v === 1 && generation === 1)).toBe(true);
});

test("the same message twice in a batch reaches the shard twice and is acknowledged twice", async () => {
  const bench = new Bench();
  const text = body([segmentFor(0, ["first/0"])]);
  expect(await bench.consume({ a: text, b: text })).toEqual({ a: "ack", b: "ack" });
  expect(bench.told["first/0"]).toBe("0 0");
});

test("a segment that holds nothing for anybody is acknowledged, and told later", async () => {
  const bench = new Bench();
  expect(await bench.consume({ a: body([segmentFor(0, [])]), b: body([]) })).toEqual({ a: "ack", b: "ack" });
  await bench.consume({ c: body([segmentFor(1, ["first/0"])]) });
  expect(bench.told).toEqual({ "first/0": "(0) 1" });
});

describe("a failing shard", () => {
  test("retries just the messages that touch it", async () => {
    const bench = new Bench();
    bench.failing.add("first/1");
    const messages = {
      touches: body([segmentFor(0, ["first/0", "first/1"])]),
      not: body([segmentFor(1, ["first/0"])]),
      other: body([segmentFor(2, ["first/1"])]),
    };
    expect(await bench.consume(messages)).toEqual({ touches: "retry 2", not: "ack", other: "retry 2" });
    expect(bench.errors).toEqual(["first/1: Error: first/1 is down"]);
    bench.failing.clear();
    expect(await bench.consume({ touches: messages.touches, other: messages.other })).toEqual({
      touches: "ack",
      other: "ack",
    });
  });

  test("is told again what held nothing for it, as nobody else will", async () => {
    const bench = new Bench();
    await bench.consume({ a: body([segmentFor(0, ["first/0"])]) });
    bench.failing.add("first/1");
    await bench.consume({ b: body([segmentFor(1, ["first/0"])]), c: body([segmentFor(2, ["first/1"])]) });
    expect(bench.told["first/1"]).toBe("(0) (1) 2");
    bench.failing.clear();
    await bench.consume({ c: body([segmentFor(2, ["first/1"])]) });
    expect(bench.told["first/1"]).toBe("(0) (1) 2");
  });

  test.each([
    [1, 2],
    [2, 4],
    [5, 32],
    [9, 512],
    [10, 900],
    [100, 900],
    [100_000, 900],
  ])("after %i attempts waits up to %i seconds", async (attempts, seconds) => {
    const bench = new Bench();
    bench.failing.add("first/0");
    expect(await bench.consume({ a: body([segmentFor(0, ["first/0"])]) }, attempts)).toEqual({
      a: `retry ${seconds}`,
    });
  });
});

describe("what cannot be understood is retried, and its neighbours proceed", () => {
  test.each<[string, unknown]>([
    ["garbage", "{"],
    ["no text at all", { a: 1 }],
    ["another generation", body([segmentFor(0, ["first/0"])], { generation: 2 })],
    ["an unknown operator", body([segmentFor(0, ["gone/0"])])],
    [
      "another shard count",
      body([{ ...segmentFor(0, []), parts: [{ operator: "first", shards: 9, byShard: [] }] }]),
    ],
    ["a shard that there is not", body([segmentFor(0, ["first/7"])])],
  ])("%s", async (_what, text) => {
    const bench = new Bench();
    expect(await bench.consume({ bad: text, good: body([segmentFor(1, ["first/0"])]) })).toEqual({
      bad: "retry 2",
      good: "ack",
    });
    expect(bench.told).toEqual({ "first/0": "1" });
    expect([bench.errors.length, bench.buried.length]).toEqual([1, 0]);
  });
});

describe("a deploy between sending and consuming loses nothing", () => {
  test("when the source is not there any more, its operators still get what was routed to them", async () => {
    const bench = new Bench();
    expect(await bench.consume({ a: body([segmentFor(0, ["first/0"])], { source: "renamed" }) })).toEqual({
      a: "ack",
    });
    expect(bench.told).toEqual({ "first/0": "0" });
  });

  test("when the source feeds other operators now", async () => {
    const bench = new Bench();
    expect(await bench.consume({ a: body([segmentFor(0, ["third/0", "first/1"])]) })).toEqual({ a: "ack" });
    expect(bench.told).toEqual({ "third/0": "0", "first/1": "0" });
  });
});

describe("burying", () => {
  test.each([
    [HORIZON, "ack", 0],
    [HORIZON + 1, "ack", 1],
  ])("a message accepted %i ms ago: %s", async (age, outcome, buried) => {
    const bench = new Bench();
    const text = body([segmentFor(0, ["first/0"], { arrival: NOW - age }), segmentFor(1, ["first/0"])]);
    expect(await bench.consume({ a: text })).toEqual({ a: outcome });
    expect(bench.buried.length).toBe(buried);
    expect(bench.calls.length).toBe(1 - buried);
    if (buried > 0)
      expect(bench.buried[0]).toMatchObject({
        id: "a",
        queue: "queue",
        body: text,
        redrivable: false,
        reason: expect.stringMatching(/horizon/),
      });
  });

  test("of what a shard has forgotten, and of no other message", async () => {
    const bench = new Bench();
    bench.forgotten = [{ producer: P, sequence: 1 }];
    const messages = {
      a: body([segmentFor(0, ["first/0"])]),
      b: body([segmentFor(1, ["first/0"])]),
      other: body([segmentFor(1, ["first/0"], { producer: Q })]),
    };
    expect(await bench.consume(messages)).toEqual({ a: "ack", b: "ack", other: "ack" });
    expect(bench.buried.map(({ id, reason }) => [id, reason])).toEqual([
      ["b", expect.stringMatching(/no longer knows/)],
    ]);
  });

  test.each([
    ["first/0", "first/1"],
    ["first/1", "first/0"],
  ])("waits until the other shards have what is theirs (%s forgot, %s is down)", async (forgot, down) => {
    const bench = new Bench();
    bench.forgotten = forgot === "first/0" ? [{ producer: P, sequence: 0 }] : [];
    bench.failing.add(down);
    const text = body([segmentFor(0, ["first/0", "first/1"])]);
    if (forgot === "first/1") bench.forgotten = [{ producer: P, sequence: 0 }];
    expect(await bench.consume({ a: text })).toEqual({ a: "retry 2" });
    expect(bench.buried).toEqual([]);
    bench.failing.clear();
    expect(await bench.consume({ a: text })).toEqual({ a: "ack" });
    expect(bench.buried.length).toBe(1);
  });

  test("that fails is a retry", async () => {
    const bench = new Bench();
    bench.graveyardFails = true;
    bench.forgotten = [{ producer: P, sequence: 1 }];
    expect(
      await bench.consume({
        old: body([segmentFor(0, ["first/0"], { arrival: 0 })]),
        forgotten: body([segmentFor(1, ["first/0"])]),
      }),
    ).toEqual({ old: "retry 2", forgotten: "retry 2" });
  });
});

test("a message with a part that its shard cannot read is retried, and its neighbours are acknowledged", async () => {
  const bench = new Bench();
  bench.unreadable = [{ producer: P, sequence: 1 }];
  const messages = { a: body([segmentFor(0, ["first/0"])]), b: body([segmentFor(1, ["first/0"])]) };
  expect(await bench.consume(messages)).toEqual({ a: "ack", b: "retry 2" });
  expect(bench.buried).toEqual([]);
});

describe("claims", () => {
  const client = (sequence: number, places: readonly string[], producer = P) =>
    segmentFor(sequence, places, { kind: ProducerKind.client, producer });

  test("are asked once per producer and plan, and for clients only", async () => {
    const bench = new Bench();
    const asked: unknown[] = [];
    bench.claim = async (...args) => {
      asked.push(args);
      return args[2].map(() => true);
    };
    await bench.consume({
      a: body([client(0, ["first/0"]), segmentFor(9, ["first/0"], { producer: Q })]),
      b: body([client(1, ["first/0"]), client(0, ["first/0"])]),
      c: body([client(1, ["first/0"])], { fingerprint: "f2" }),
    });
    expect(asked).toEqual([
      [P, "f1", [0, 1]],
      [P, "f2", [1]],
    ]);
  });

  test("that are lost: the copy is acknowledged and not applied, nor told", async () => {
    const bench = new Bench();
    bench.claim = async (_producer, fingerprint, sequences) =>
      sequences.map((sequence) => fingerprint === "f1" || sequence === 1);
    const messages = {
      winner: body([client(0, ["first/0"])]),
      loser: body([client(0, ["first/1"])], { fingerprint: "f2" }),
      mixed: body([client(0, ["first/1"]), client(1, ["second/0"])], { fingerprint: "f2" }),
    };
    expect(await bench.consume(messages)).toEqual({ winner: "ack", loser: "ack", mixed: "ack" });
    expect(bench.told).toEqual({ "first/0": "0 (1)", "second/0": "(0) 1" });
  });

  test("that cannot be reached: the messages of that producer wait, others proceed", async () => {
    const bench = new Bench();
    bench.claim = async (producer, _fingerprint, sequences) => {
      if (producer === Q) throw new Error("claims are down");
      return sequences.map(() => true);
    };
    const messages = {
      waits: body([client(0, ["first/0"]), client(0, ["first/0"], Q)]),
      proceeds: body([client(1, ["first/0"])]),
    };
    expect(await bench.consume(messages)).toEqual({ waits: "retry 2", proceeds: "ack" });
    expect(bench.told).toEqual({ "first/0": "1" });
  });

  test("are not asked for what is past the horizon or not understood", async () => {
    const bench = new Bench();
    let asked = 0;
    bench.claim = async (_producer, _fingerprint, sequences) => {
      asked++;
      return sequences.map(() => true);
    };
    await bench.consume({
      old: body([{ ...client(0, ["first/0"]), arrival: 0 }]),
      unknown: body([client(0, ["gone/0"])]),
    });
    expect(asked).toBe(0);
  });
});

describe("segments that hold nothing for a shard", () => {
  test("are told with its next call, once, in order, and only those of its sources", async () => {
    const bench = new Bench();
    for (let n = 0; n < 3; n++) await bench.consume({ a: body([segmentFor(n, ["first/0"])]) });
    await bench.consume({ o: body([segmentFor(50, ["third/0"])], { source: "others" }) });
    expect(bench.told).toEqual({ "third/0": "50" });
    await bench.consume({ b: body([segmentFor(3, ["first/1"])]) });
    expect(bench.told).toEqual({ "first/1": "(0) (1) (2) 3" });
    await bench.consume({ b: body([segmentFor(4, ["first/1"])]) });
    expect(bench.told).toEqual({ "first/1": "4" });
  });

  test("are bounded", async () => {
    const bench = new Bench();
    for (let n = 0; n < 30; n++) {
      await bench.consume({
        a: body(Array.from({ length: 500 }, (_, m) => segmentFor(n * 500 + m, ["first/0"]))),
      });
    }
    await bench.consume({ b: body([segmentFor(99_999, ["first/1"])]) });
    expect(bench.calls[0]?.segments.length).toBe(10_001);
  });

  test("one shard counts a segment's events: the first of its operator", async () => {
    const bench = new Bench();
    await bench.consume({ a: body([segmentFor(0, ["first/1", "first/0", "second/2"])]) });
    expect(
      bench.calls.map(({ operator, shard, segments }) => [`${operator}/${shard}`, segments[0]?.anchored]),
    ).toEqual([
      ["first/1", true],
      ["first/0", false],
      ["second/2", true],
    ]);
  });
});

test.each([
  [3, "ack"],
  [4, "retry"],
])(
  "a shard that is busy %i times is asked up to four times, and then its messages go back",
  async (busy, settled) => {
    let calls = 0;
    let waits = 0;
    const { executor } = new Bench();
    const patient = new OperatorExecutor({
      ...executor.options,
      shards: {
        apply: async () => {
          const reply = { lsn: 1, applied: 0, duplicates: 0, forgotten: [], unreadable: [] };
          return { ...reply, busy: ++calls <= busy };
        },
      },
      patience: {
        tries: 3,
        wait: async () => {
          waits++;
        },
      },
    });
    const verdicts: string[] = [];
    const delivery: Delivery = {
      id: "m1",
      body: body([segmentFor(0, ["third/0"])], { source: "others" }),
      attempts: 1,
      ack: () => verdicts.push("ack"),
      retry: () => verdicts.push("retry"),
    };
    await patient.consume("millrace-others", [delivery]);
    expect([verdicts, calls, waits]).toEqual([[settled], 4, 3]);
  },
);
