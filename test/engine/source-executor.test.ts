/** SourceExecutor: what is accepted, rejected, dropped and dead adds up for every operator, and packs under the limits. */
import { describe, expect, test } from "vitest";
import { decodeEnvelope } from "../../src/engine/envelope.ts";
import type { Segment } from "../../src/engine/segment.ts";
import { ProducerKind, RECORD_WIDTH } from "../../src/engine/segment.ts";
import { InvalidEventError, TooLargeError } from "../../src/errors.ts";
import { shardOf } from "../../src/hash.ts";
import type { Aggregator, Collector, Event, Plan, SourceCollector } from "../../src/index.ts";
import { average, count, Job, Operator, planJobs, Source, sum } from "../../src/index.ts";
import { Random } from "../simulation/random.ts";
import { accountOf, countJob, NOW, P, pack, Records, read, sourceExecutor } from "./support.ts";

function recordsOf(segments: readonly Segment[], operator: string): Map<string, unknown> {
  const found = new Map<string, unknown>();
  for (const { shards, byShard } of segments
    .flatMap(({ parts }) => parts)
    .filter((part) => part.operator === operator)) {
    for (const { shard, records } of byShard) {
      for (let at = 0; at < records.length; at += RECORD_WIDTH) {
        const key = records[at] as string;
        expect(shardOf(key, shards)).toBe(shard);
        expect(found.has(key)).toBe(false);
        found.set(key, records[at + 1]);
      }
    }
  }
  return found;
}

class Reader extends Source<{ key: string }> {
  getEvents(input: unknown, collector: SourceCollector<{ key: string }>): void {
    const { keys, fail, time, id } = input as {
      keys: string[];
      fail?: string;
      time?: number | string;
      id?: string;
    };
    for (const key of keys) collector.emit({ key }, { time, id });
    if (fail !== undefined) throw new InvalidEventError(fail, fail === "large");
  }
}

function readerJob(): Plan {
  const job = new Job("job");
  job
    .addSource(new Reader("records"))
    .keyBy(({ key }) => key)
    .aggregate("counts", count(), { shards: 3 });
  return planJobs([job]);
}

describe("reading", () => {
  test("nothing is nothing", () => {
    const executor = sourceExecutor(readerJob());
    expect(read(executor, [])).toMatchObject({ accepted: 0, rejected: [], onlyTooLarge: false });
  });

  test("a record that is not valid is rejected with its index, as a whole; its neighbours proceed", () => {
    const executor = sourceExecutor(readerJob());
    const reading = executor.read(
      {
        values: [{ keys: ["a"] }, { keys: ["b", "b"], fail: "no" }, { keys: ["a", "c"] }],
        places: [7, 9, 11],
      },
      "id",
      NOW,
    );
    expect(reading).toMatchObject({
      accepted: 3,
      rejected: [{ index: 9, error: "no" }],
      onlyTooLarge: false,
    });
    expect(recordsOf(pack(executor, reading).segments, "counts")).toEqual(
      new Map([
        ["a", 2],
        ["c", 1],
      ]),
    );
  });

  test("what a hook throws, even what cannot be printed, is the record's error and no longer than a line", () => {
    class Thrower extends Source<{ key: string }> {
      getEvents(input: unknown, _collector: SourceCollector<{ key: string }>): void {
        throw [undefined, null, "text", Object.create(null), new Error("x".repeat(1_000_000)), Symbol("s")][
          input as number
        ];
      }
    }
    const job = new Job("job");
    job
      .addSource(new Thrower("records"))
      .keyBy(({ key }) => key)
      .aggregate("counts", count());
    const reading = read(sourceExecutor(planJobs([job])), [0, 1, 2, 3, 4, 5]);
    expect([reading.accepted, reading.rejected.length]).toEqual([0, 6]);
    for (const { error } of reading.rejected) expect(error.length).toBeLessThan(1_000);
  });

  test("a hook that returns a Promise is refused: what it emits later would be lost", async () => {
    class Later extends Source<{ key: string }> {
      getEvents(_input: unknown, collector: SourceCollector<{ key: string }>): undefined {
        return Promise.resolve().then(() => {
          collector.emit({ key: "late" });
          throw new Error("late");
        }) as unknown as undefined;
      }
    }
    const job = new Job("job");
    job
      .addSource(new Later("records"))
      .keyBy(({ key }) => key)
      .aggregate("counts", count());
    const reading = read(sourceExecutor(planJobs([job])), [1]);
    expect(reading.accepted).toBe(0);
    expect(reading.rejected[0]?.error).toMatch(/Promise/);
    await new Promise((resolve) => setImmediate(resolve));
  });

  test("only records over a limit make a request too large", () => {
    const executor = sourceExecutor(readerJob());
    const long = { keys: ["k".repeat(2049)] };
    expect(read(executor, [long, { keys: [], fail: "large" }]).onlyTooLarge).toBe(true);
    expect(read(executor, [long, { keys: [], fail: "no" }]).onlyTooLarge).toBe(false);
  });

  test.each([
    [2048, "k", true],
    [2049, "k", false],
    [682, "日", true],
    [683, "日", false],
    [512, "😀", true],
    [513, "😀", false],
  ] as const)("a key of %i × %s is within the limit: %s", (length, character, fits) => {
    expect(read(sourceExecutor(readerJob()), [{ keys: [character.repeat(length)] }]).accepted).toBe(
      fits ? 1 : 0,
    );
  });

  test("keys may be empty or odd, but not half a surrogate pair", () => {
    const reading = read(
      sourceExecutor(readerJob()),
      ["", "\0", "__proto__", "\uffff", "\ud83d", "a\ude00"].map((key) => ({ keys: [key] })),
    );
    expect([reading.accepted, reading.rejected.map(({ index }) => index)]).toEqual([4, [4, 5]]);
  });

  test.each([
    [undefined, true],
    [NOW, true],
    [0, true],
    [-1, false],
    [NOW + 3_600_000, true],
    [NOW + 3_600_001, false],
    [Number.NaN, false],
    [Number.POSITIVE_INFINITY, false],
    [null, false],
    ["", false],
    ["2025-06-15T12:00:00", false],
    ["2025-06-15T12:00:00Z", true],
    ["2025-06-15T12:00:00.123456+02:00", true],
    ["1969-12-31T23:59:59Z", false],
    ["9999-12-31T23:59:59Z", false],
    [{}, false],
  ])("a time of %j is taken: %s", (time, taken) => {
    expect(read(sourceExecutor(readerJob()), [{ keys: ["a"], time }]).accepted).toBe(taken ? 1 : 0);
  });

  test.each([
    [undefined, true],
    ["", false],
    ["x".repeat(256), true],
    ["x".repeat(257), false],
    [5, false],
    ["\ud83d", false],
  ])("an id of %j is taken: %s", (id, taken) => {
    expect(read(sourceExecutor(readerJob()), [{ keys: ["a"], id }]).accepted).toBe(taken ? 1 : 0);
  });
});

interface Item {
  readonly key: unknown;
  readonly values: readonly number[];
  readonly fault?: "map" | "filter" | "flatMap" | "drop" | "key" | "add" | "invalid";
}

/** Two branches with everything that can throw or drop, one of them meeting its operator twice. */
function branchingJob(): Plan {
  const fail = (item: Item, where: Item["fault"]) => {
    if (item.fault === where) throw new Error(`${where} failed`);
  };
  const items = new Job("job");
  const stream = items.addSource(
    new (class extends Source<Item> {
      getEvents(input: unknown, collector: SourceCollector<Item>): void {
        const item = input as Item;
        if (item.fault === "invalid") throw new InvalidEventError("invalid");
        collector.emit(item);
      }
    })("records"),
  );
  stream
    .keyBy((item) => {
      fail(item, "key");
      return item.key as string;
    })
    .aggregate("counts", count(), { shards: 3 });
  const each = stream
    .filter((item) => {
      fail(item, "filter");
      return item.fault !== "drop";
    })
    .map((item) => {
      fail(item, "map");
      return item;
    })
    .flatMap((item) => {
      fail(item, "flatMap");
      return item.values.map((value) => ({ value, item }));
    });
  const adding = sum(({ value, item }: { value: number; item: Item }) => {
    fail(item, "add");
    return value;
  });
  each.keyBy(({ value }) => `v${value % 5}`).aggregate("sums", adding, { shards: 2 });
  each
    .keyBy(({ item }) => item.key as string)
    .aggregate(
      "average",
      average(({ value }: { value: number }) => value),
      { shards: 2 },
    );
  return planJobs([items]);
}

describe("conservation", () => {
  test.each(Array.from({ length: 40 }, (_, n) => n + 1))(
    "accepted = applied + dropped + dead, for each operator (seed %i)",
    (seed) => {
      const random = new Random(seed);
      const faults = [
        "map",
        "filter",
        "flatMap",
        "drop",
        "key",
        "add",
        "invalid",
        undefined,
        undefined,
        undefined,
        undefined,
      ] as const;
      const items = Array.from({ length: random.int(1, 60) }, (): Item => {
        const fault = random.pick(faults);
        const key = random.pick([
          "a",
          "b",
          `k${random.int(0, 99)}`,
          ...(random.chance(0.1) ? [5, null] : []),
        ]);
        const values = Array.from({ length: random.int(0, 3) }, () => random.pick([1, 2, 3, Number.NaN]));
        return { key, values, ...(fault === undefined ? {} : { fault }) };
      });
      const executor = sourceExecutor(branchingJob());
      const reading = read(executor, items);
      const valid = items.filter(({ fault }) => fault !== "invalid");
      expect(reading.accepted).toBe(valid.length);
      if (reading.accepted === 0) return;
      const { segments, messages } = pack(executor, reading, {
        limits: { messages: 100, messageBytes: random.pick([700, 2_000, 128_000]), sendBytes: 1_000_000 },
      });
      for (const [operator, { applied, dropped, dead }] of Object.entries(accountOf(segments))) {
        expect([operator, applied + dropped + dead]).toEqual([operator, valid.length]);
      }
      expect(segments.reduce((total, { events }) => total + events, 0)).toBe(valid.length);
      const badKey = (item: Item) => typeof item.key !== "string";
      const counted = new Map<string, number>();
      for (const item of valid)
        if (item.fault !== "key" && !badKey(item))
          counted.set(item.key as string, (counted.get(item.key as string) ?? 0) + 1);
      expect(recordsOf(segments, "counts")).toEqual(counted);
      expect(accountOf(segments).counts).toEqual({
        applied: [...counted.values()].reduce((a, b) => a + b, 0),
        dropped: 0,
        dead: valid.filter((item) => item.fault === "key" || badKey(item)).length,
      });
      // Reading again, as for a client's retry, comes to the same bytes.
      const again = sourceExecutor(branchingJob());
      expect(
        pack(again, read(again, items), {
          limits: { messages: 100, messageBytes: 128_000, sendBytes: 1_000_000 },
        }).messages,
      ).toEqual(
        pack(executor, read(executor, items), {
          limits: { messages: 100, messageBytes: 128_000, sendBytes: 1_000_000 },
        }).messages,
      );
      expect(messages.map((message) => decodeEnvelope(message).segments)).toEqual(
        segments.map((segment) => [JSON.parse(JSON.stringify(segment))]),
      );
    },
  );

  test("an event that meets an operator twice is one event of it", () => {
    const job = new Job("job");
    const records = job.addSource(new Records("records"));
    records
      .flatMap(({ key }) => [key, key, `${key}'`])
      .keyBy((key) => key)
      .aggregate("counts", count());
    const executor = sourceExecutor(planJobs([job]));
    const { segments } = pack(executor, read(executor, [{ key: "a" }]));
    expect(recordsOf(segments, "counts")).toEqual(
      new Map([
        ["a", 2],
        ["a'", 1],
      ]),
    );
    expect(accountOf(segments).counts).toEqual({ applied: 1, dropped: 0, dead: 0 });
  });

  test("an operator that throws half-way has emitted nothing", () => {
    class Half extends Operator<{ key: string }, { key: string }> {
      apply({ data }: Event<{ key: string }>, collector: Collector<{ key: string }>): void {
        collector.emit(data);
        if (data.key === "bad") throw new Error("half");
      }
    }
    const job = new Job("job");
    job
      .addSource(new Records("records"))
      .applyOperator(new Half("half"))
      .keyBy(({ key }) => key)
      .aggregate("counts", count());
    const executor = sourceExecutor(planJobs([job]));
    const { segments } = pack(executor, read(executor, [{ key: "good" }, { key: "bad" }]));
    expect(recordsOf(segments, "counts")).toEqual(new Map([["good", 1]]));
    expect(accountOf(segments).counts).toEqual({ applied: 1, dropped: 0, dead: 1 });
  });
});

describe("accumulators", () => {
  const counting = (
    add: (acc: number, amount: unknown) => unknown,
  ): Aggregator<{ key: string; amount: unknown }, unknown, unknown> => ({
    signature: "test@1",
    create: () => 0,
    add: (acc, { data }) => add(acc as number, data.amount),
    merge: (a, b) => (a as number) + (b as number),
    result: (acc) => acc,
  });

  function packed(aggregator: Aggregator<never, never, never>, amounts: readonly unknown[]): Segment[] {
    const executor = sourceExecutor(
      countJob(aggregator as unknown as Aggregator<{ key: string }, unknown, unknown>),
    );
    const { messages } = pack(
      executor,
      read(
        executor,
        amounts.map((amount) => ({ key: "k", amount })),
      ),
    );
    return messages.flatMap((message) => decodeEnvelope(message).segments);
  }

  test.each([
    ["NaN", Number.NaN],
    ["Infinity", Number.POSITIVE_INFINITY],
    ["undefined", undefined],
    ["null", null],
    ["a function", () => 1],
    ["a bigint", 1n],
  ])(
    "that become %s would be lost on the way: the event that made it so is dead, the others count",
    (_what, bad) => {
      const segments = packed(counting((acc, amount) => (amount === "bad" ? bad : acc + 1)) as never, [
        1,
        "bad",
        1,
      ]);
      expect(recordsOf(segments, "counts")).toEqual(new Map([["k", 2]]));
      expect(accountOf(segments).counts).toEqual({ applied: 2, dropped: 0, dead: 1 });
    },
  );

  test("that hold what JSON cannot are found however deep it is", () => {
    const deep: Aggregator<{ key: string; amount: unknown }, { list: unknown[] }, number> = {
      signature: "deep@1",
      create: () => ({ list: [] }),
      add: (acc, { data }) => {
        acc.list.push({ value: data.amount });
        return acc;
      },
      merge: (a, b) => ({ list: [...a.list, ...b.list] }),
      result: (acc) => acc.list.length,
    };
    const bad = [Number.NaN, new Map([[1, 2]]), new Date(0), 1n, () => 1, Symbol("s")];
    const segments = packed(deep as never, [1, ...bad, 2]);
    expect(recordsOf(segments, "counts")).toEqual(new Map([["k", { list: [{ value: 1 }, { value: 2 }] }]]));
    expect(accountOf(segments).counts).toEqual({ applied: 2, dropped: 0, dead: bad.length });
  });

  test("that a hook changed before it threw are whole again", () => {
    const careless: Aggregator<{ key: string; amount: unknown }, { sum: number; n: number }, number> = {
      signature: "careless@1",
      create: () => ({ sum: 0, n: 0 }),
      add: (acc, { data }) => {
        acc.n++;
        if (typeof data.amount !== "number") throw new TypeError("no amount");
        acc.sum += data.amount;
        return acc;
      },
      merge: (a, b) => ({ sum: a.sum + b.sum, n: a.n + b.n }),
      result: (acc) => acc.sum,
    };
    const segments = packed(careless as never, ["x", 1, "x", "x", 2, "x"]);
    expect(recordsOf(segments, "counts")).toEqual(new Map([["k", { sum: 3, n: 2 }]]));
    expect(accountOf(segments).counts).toEqual({ applied: 2, dropped: 0, dead: 4 });
  });

  test("a sum that overflows keeps what fits", () => {
    const segments = packed(sum(({ amount }: { amount: number }) => amount) as never, [1e308, 1e308, -1e308]);
    expect(recordsOf(segments, "counts")).toEqual(new Map([["k", 0]]));
    expect(accountOf(segments).counts?.dead).toBe(1);
  });
});

describe("packing", () => {
  const keys = (n: number, length: number) =>
    Array.from({ length: n }, (_, at) => ({ key: `${at}`.padEnd(length, "x") }));

  test("many keys split into messages of one billing unit, numbered without gaps, each event counted once", () => {
    const executor = sourceExecutor(countJob(count(), { shards: 4 }));
    const reading = read(executor, keys(4_000, 50));
    const { messages, segments } = pack(executor, reading, {
      sequence: 10,
      limits: { messages: 100, messageBytes: 128_000, sendBytes: 1_000_000 },
    });
    expect(messages.length).toBeGreaterThan(3);
    for (const message of messages) expect(Buffer.byteLength(message)).toBeLessThanOrEqual(63_000);
    expect(segments.map(({ sequence }) => sequence)).toEqual(segments.map((_, n) => 10 + n));
    expect(segments.map(({ events }) => events)).toEqual([4_000, ...segments.slice(1).map(() => 0)]);
    expect(segments.map(({ before, events }) => before + events)).toEqual(segments.map(() => 4_000));
    expect(recordsOf(segments, "counts").size).toBe(4_000);
  });

  test("bytes are counted, not characters", () => {
    const executor = sourceExecutor(countJob());
    const reading = read(
      executor,
      Array.from({ length: 200 }, (_, n) => ({ key: `${"日".repeat(300)}${n}` })),
    );
    for (const message of pack(executor, reading).messages)
      expect(Buffer.byteLength(message)).toBeLessThanOrEqual(63_000);
  });

  test("an identified request is one message of up to the queue's limit, or too large", () => {
    const executor = sourceExecutor(countJob());
    const { messages, segments } = pack(executor, read(executor, keys(1_500, 70)), { single: true });
    expect([messages.length, segments.length]).toEqual([1, 1]);
    expect(Buffer.byteLength(messages[0] as string)).toBeGreaterThan(63_000);
    expect(() => pack(executor, read(executor, keys(3_000, 70)), { single: true })).toThrow(TooLargeError);
    expect(() => pack(executor, read(executor, keys(3_000, 70)), { single: true })).toThrow(/128000 bytes/);
  });

  test("one large record may take a message up to the queue's limit, alone", () => {
    const longest: Aggregator<{ key: string }, string, string> = {
      signature: "s@1",
      create: () => "",
      add: (_acc, { data }) => data.key.repeat(100_000),
      merge: (a, b) => a + b,
      result: (acc) => acc,
    };
    const executor = sourceExecutor(countJob(longest as Aggregator<{ key: string }, unknown, unknown>));
    const { messages } = pack(executor, read(executor, [{ key: "x" }]));
    expect(messages.length).toBe(1);
    expect(() => pack(executor, read(executor, [{ key: "xx" }]))).toThrow(TooLargeError);
    // Three that do not fit together travel apart.
    expect(() => pack(executor, read(executor, [{ key: "x" }, { key: "y" }, { key: "z" }]))).toThrow(
      /256000 bytes/,
    );
    expect(pack(executor, read(executor, [{ key: "x" }, { key: "y" }])).messages.length).toBe(2);
  });

  test("a request over one atomic send is too large", () => {
    const executor = sourceExecutor(countJob());
    expect(() => pack(executor, read(executor, keys(6_000, 60)))).toThrow(/256000 bytes/);
    expect(() =>
      pack(executor, read(executor, keys(400, 60)), {
        limits: { messages: 2, messageBytes: 5_000, sendBytes: 1_000_000 },
      }),
    ).toThrow(TooLargeError);
  });

  test("what has no record still reaches a shard: a request of dropped and dead events is accounted for", () => {
    const job = new Job("job");
    job
      .addSource(new Records("records"))
      .filter(() => false)
      .keyBy(({ key }) => key)
      .aggregate("counts", count(), { shards: 4 });
    const executor = sourceExecutor(planJobs([job]));
    const { segments } = pack(executor, read(executor, keys(5, 3)));
    expect(accountOf(segments).counts).toEqual({ applied: 0, dropped: 5, dead: 0 });
    expect(segments[0]?.parts[0]?.byShard.map(({ shard }) => shard)).toEqual([shardOf(P, 4)]);
  });

  test("the envelope carries kind, arrival, fingerprint and generation", () => {
    const plan = countJob();
    const executor = sourceExecutor(plan);
    const [message] = pack(executor, read(executor, keys(1, 1)), { single: true }).messages;
    expect(decodeEnvelope(message)).toMatchObject({
      generation: 1,
      fingerprint: plan.fingerprint,
      source: "records",
      segments: [{ kind: ProducerKind.client, arrival: NOW, producer: P, events: 1 }],
    });
  });
});
