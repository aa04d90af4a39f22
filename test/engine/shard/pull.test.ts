/** Pull: an answer's events and its offset are committed together or not at all, and an idle source costs no rows. */
import { describe, expect, test } from "vitest";
import { VirtualClock } from "../../../src/clock.ts";
import { pullDueAt, pullOnce } from "../../../src/engine/shard/pull.ts";
import { InvalidEventError, ShardRefusedError } from "../../../src/errors.ts";
import type { FailurePolicy, Pulled, PullRequest, PullSourceOptions } from "../../../src/index.ts";
import { Job, PullSource, planJobs } from "../../../src/index.ts";
import { MemoryStore } from "../../../src/state/memory-store.ts";
import { Crash, CrashingStore } from "../../simulation/crashing-store.ts";
import { Random } from "../../simulation/random.ts";
import { call, NOW, shardOver } from "../support.ts";
import { emittedBy, eventSegment, lettersOf, Nowhere, takeOutbox } from "./support.ts";

type Answer = Pulled<unknown, unknown>;
type Ask = (request: PullRequest<unknown>) => Answer | Promise<Answer>;

class Asked extends PullSource<unknown> {
  readonly ask: Ask;
  constructor(ask: Ask, options: PullSourceOptions) {
    super("pulled", options);
    this.ask = ask;
  }
  getEvents(request: PullRequest<unknown>): Answer | Promise<Answer> {
    return this.ask(request);
  }
}

class Bench {
  readonly store = new CrashingStore(new MemoryStore());
  readonly clock = new VirtualClock(NOW);
  readonly plan;
  readonly requests: PullRequest<unknown>[] = [];
  shard;

  constructor(
    ask: Ask,
    { onError = "dead-letter", ...options }: PullSourceOptions & { onError?: FailurePolicy } = {},
  ) {
    const job = new Job("job", { onError });
    const pulled = job.addSource(
      new Asked((request) => {
        this.requests.push(request);
        return ask(request);
      }, options),
    );
    pulled
      .map((data) => {
        if (data === "bad") throw new Error("bad");
        return data;
      }, "picky")
      .addSink(new Nowhere("out"));
    this.plan = planJobs([job]);
    this.shard = this.#open();
  }

  #open() {
    return shardOver(this.store, this.plan, { operator: "pulled", clock: this.clock });
  }

  reopen(): this {
    this.store.calm();
    this.shard = this.#open();
    return this;
  }

  async pull(): Promise<number> {
    return pullOnce(this.shard, {}, (work) => work());
  }

  get offset(): unknown {
    return (this.shard.state.get("offset") as { offset: unknown } | undefined)?.offset;
  }

  get emitted(): unknown[] {
    return emittedBy(this.shard).map(({ data }) => data);
  }
}

describe("an answer", () => {
  test("is committed with its offset, which the next call gets, after sleep too", async () => {
    const bench = new Bench(
      ({ offset }) => {
        const n = (offset as number | undefined) ?? 0;
        return { events: [{ data: n }, { data: n + 1 }], offset: n + 2 };
      },
      { limit: 5 },
    );
    await bench.pull();
    await bench.reopen().pull();
    expect([bench.emitted, bench.offset]).toEqual([[0, 1, 2, 3], 4]);
    expect(bench.requests).toMatchObject([
      { offset: undefined, now: NOW, limit: 5 },
      { offset: 2, now: NOW, limit: 5 },
    ]);
    expect(bench.shard.lsn).toBe(2);
  });

  test("gives events the ids and times that they have, or ones that no other answer gives", async () => {
    const bench = new Bench(() => ({
      events: [
        { data: "a", id: "own", time: "2026-01-31T12:00:00Z" },
        { data: "b", time: 7.4 },
        { data: "c" },
      ],
      offset: bench.requests.length,
    }));
    await bench.pull();
    bench.clock.advance(5);
    await bench.reopen().pull();
    expect(emittedBy(bench.shard).map(({ id, time }) => [id, time])).toEqual([
      ["own", Date.UTC(2026, 0, 31, 12)],
      ["pulled.1.1", 7],
      ["pulled.1.2", NOW],
      ["own", Date.UTC(2026, 0, 31, 12)],
      ["pulled.2.1", 7],
      ["pulled.2.2", NOW + 5],
    ]);
  });

  test("says when to ask next, or the source's own pace does, and sleep remembers it", async () => {
    let next: number | undefined;
    const bench = new Bench(
      () => ({
        events: [{ data: 1 }],
        offset: bench.requests.length,
        ...(next === undefined ? {} : { next }),
      }),
      { every: "10 seconds" },
    );
    expect(pullDueAt(bench.shard)).toBe(0);
    expect([await bench.pull(), pullDueAt(bench.reopen().shard)]).toEqual([NOW + 10_000, NOW + 10_000]);
    next = NOW + 3;
    expect([await bench.pull(), pullDueAt(bench.reopen().shard)]).toEqual([NOW + 3, NOW + 3]);
  });

  test("without events and with the offset of before writes nothing", async () => {
    const bench = new Bench(() => ({ events: [], offset: { at: [1] } }));
    await bench.pull();
    const { lsn } = bench.shard;
    const rows = bench.store.rowsWritten;
    for (let n = 0; n < 5; n++) expect(await bench.reopen().pull()).toBe(NOW + 1_000);
    expect([bench.shard.lsn, bench.store.rowsWritten - rows, lsn]).toEqual([lsn, 0, 1]);
  });

  test("without events and without an offset is idle from the first call on", async () => {
    for (const offset of [undefined, null]) {
      const bench = new Bench(() => ({ events: [], offset }));
      await bench.pull();
      expect([bench.store.rowsWritten, bench.shard.lsn]).toEqual([0, 0]);
    }
  });

  test("without events and with another offset is committed: it must not be asked for the same again", async () => {
    const bench = new Bench(() => ({ events: [], offset: bench.requests.length }));
    await bench.pull();
    expect([bench.offset, bench.shard.lsn, bench.shard.outbox.size]).toEqual([1, 1, 0]);
  });

  test("whose event a step throws on is committed, with that event dead, or not at all by policy", async () => {
    const answer: Ask = () => ({ events: [{ data: "a" }, { data: "bad" }], offset: 1 });
    const lenient = new Bench(answer);
    await lenient.pull();
    expect([lenient.emitted, lenient.offset]).toEqual([["a"], 1]);
    expect(lenient.shard.outbox.entries().map(({ events }) => events)).toEqual([2]);
    const strict = new Bench(answer, { onError: "fail" });
    await expect(strict.pull()).rejects.toThrow(ShardRefusedError);
    expect([strict.offset, strict.shard.lsn, strict.store.rowsWritten]).toEqual([undefined, 0, 0]);
  });
});

describe("an answer that is none", () => {
  const answers: readonly (readonly [string, unknown])[] = [
    ["nothing", undefined],
    ["null", null],
    ["no events", { offset: 1 }],
    ["events that are no list", { events: "abc", offset: 1 }],
    ["too many events", { events: [1, 2, 3, 4].map((data) => ({ data })), offset: 1 }],
    ["an event that is none", { events: [null], offset: 1 }],
    ["a time that is none", { events: [{ data: 1, time: "yesterday" }], offset: 1 }],
    ["a time before 1970", { events: [{ data: 1, time: -1 }], offset: 1 }],
    ["an id that is no text", { events: [{ data: 1, id: 7 }], offset: 1 }],
    ["a next that is no time", { events: [{ data: 1 }], offset: 1, next: Number.NaN }],
    ["a next that is no number", { events: [], offset: 1, next: "soon" }],
  ];
  test.each(answers)("(%s) is an InvalidEventError, and the offset stays", async (_what, answer) => {
    const bench = new Bench(() => answer as Answer, { limit: 3 });
    await expect(bench.pull()).rejects.toThrow(InvalidEventError);
    await expect(bench.pull()).rejects.toThrow(/source pulled: /);
    expect([bench.shard.lsn, bench.store.rowsWritten, bench.offset]).toEqual([0, 0, undefined]);
  });

  test("(an offset that cannot be stored) is the source's failure too", async () => {
    for (const offset of [new Date(), () => 1, Number.NaN, "x".repeat(1_000_001)]) {
      const bench = new Bench(() => ({ events: [{ data: 1 }], offset }));
      await expect(bench.pull()).rejects.toThrow(/accumulator/);
      expect(bench.shard.lsn).toBe(0);
    }
  });

  test("(a throw, a rejection) comes out as it is", async () => {
    const thrown = new Error("503");
    for (const ask of [
      () => {
        throw thrown;
      },
      () => Promise.reject(thrown),
    ]) {
      const bench = new Bench(ask);
      await expect(bench.pull()).rejects.toBe(thrown);
      expect(bench.shard.lsn).toBe(0);
    }
  });
});

test("events that come to its shard from elsewhere are dead letters", () => {
  const bench = new Bench(() => ({ events: [], offset: 0 }));
  bench.shard.apply(call([eventSegment(0, [{ key: "k", data: 1 }])], { operator: "pulled" }));
  expect(lettersOf(bench.shard)).toMatchObject([{ error: /takes no events/, record: { key: "k" } }]);
});

test.each(Array.from({ length: 20 }, (_, n) => n + 1))(
  "counts each answer once, with a crash at any write (seed %i)",
  async (seed) => {
    const random = new Random(seed);
    const bench = new Bench(
      ({ offset, limit }) => {
        const from = (offset as number | undefined) ?? 0;
        const size = random.int(0, limit);
        if (random.chance(0.1)) throw new Error("503");
        return { events: Array.from({ length: size }, (_, n) => ({ data: from + n })), offset: from + size };
      },
      { limit: 4 },
    );
    const got: unknown[] = [];
    const ids = new Set<string>();
    let crashes = 0;
    for (let step = 0; step < 80; step++) {
      const dice = random.next();
      if (dice < 0.3) bench.store.writesLeft = random.int(0, 2);
      else if (dice < 0.5) bench.store.transactionsLeft = 1;
      try {
        await bench.pull();
      } catch (error) {
        if (error instanceof Crash) {
          crashes++;
          bench.reopen();
        }
      }
      bench.store.calm();
      if (random.chance(0.2)) bench.reopen();
      for (const { id, data } of emittedBy(bench.shard)) {
        if (ids.has(id)) continue;
        ids.add(id);
        got.push(data);
      }
      if (random.chance(0.2)) takeOutbox(bench.shard);
    }
    expect(got).toEqual(Array.from({ length: bench.offset as number }, (_, n) => n));
    expect(got.length).toBeGreaterThan(20);
    expect(crashes).toBeGreaterThan(0);
  },
);
