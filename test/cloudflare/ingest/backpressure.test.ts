/** Backpressure: what ingest refuses for, how often it asks, and what it does when a queue does not say. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { highWaterOf, stagesBehind } from "../../../src/cloudflare/high-water.ts";
import type { IngestEnv } from "../../../src/cloudflare/ingest/app.ts";
import { retrySeconds } from "../../../src/cloudflare/ingest/backpressure.ts";
import type { Collector, Event, SinkBatch, SourcePlan } from "../../../src/index.ts";
import { count, Job, planJobs, Sink, Stage } from "../../../src/index.ts";
import { AnyReader, Door, FakeQueue } from "./fakes.ts";

// What is logged on purpose would only clutter the report.
beforeEach(() => void vi.spyOn(console, "warn").mockImplementation(() => {}));
afterEach(() => void vi.restoreAllMocks());

describe("the source's own queue", () => {
  it("sends callers away for longer the more is waiting, 1 to 30 whole seconds", () => {
    const at = (messages: number, random = 0.5) => retrySeconds(messages, 1000, () => random);
    expect(at(1000)).toBeLessThan(at(1500));
    expect(at(1500)).toBeLessThan(at(10_000));
    for (const random of [0, 0.5, 0.999]) {
      for (const messages of [1000, 1001, 5000, 1e9]) {
        expect(at(messages, random)).toSatisfy((s: number) => Number.isInteger(s) && s >= 1 && s <= 30);
      }
    }
    expect(retrySeconds(0, 0, () => 0)).toBe(15);
  });

  it("has a default mark", () => {
    expect(["5", undefined, "", "many", "-1", "0"].map((text) => highWaterOf(text))).toEqual([
      5, 10_000, 10_000, 10_000, 10_000, 0,
    ]);
  });

  it("lets requests in when the backlog is not known", async () => {
    const door = new Door();
    door.clicks.metrics = () => Promise.reject(new Error("no metrics"));
    expect((await door.post({ url: "/a" })).status).toBe(202);
  });
});

class Passing extends Stage<unknown, unknown> {
  override apply({ data }: Event<unknown>, collector: Collector<unknown>): void {
    collector.emit(data);
  }
}

class Nowhere extends Sink<unknown> {
  override async write(_batch: SinkBatch<unknown>): Promise<void> {}
}

/**
 * clicks → first (stage, mark 10) → totals → second (stage) → nowhere;  things → kinds → second;  plain → sums
 */
function stagedPlan() {
  const job = new Job("staged");
  const second = new Passing("second");
  const totals = job
    .addSource(new AnyReader("clicks"))
    .applyOperator(new Passing("first", { highWater: 10 }))
    .keyBy(String)
    .aggregate("totals", count());
  const kinds = job
    .addSource(new AnyReader("things"))
    .keyBy((thing) => typeof thing)
    .aggregate("kinds", count());
  totals.applyOperator(second);
  kinds.applyOperator(second).addSink(new Nowhere("nowhere"));
  job.addSource(new AnyReader("plain")).keyBy(String).aggregate("sums", count());
  return planJobs([job]);
}

class StagedDoor extends Door {
  readonly first: FakeQueue;
  readonly second: FakeQueue;

  constructor(env: Partial<IngestEnv> = {}) {
    const [first, second, plain] = [new FakeQueue(), new FakeQueue(), new FakeQueue()];
    const queues = { QUEUE_FIRST: first, QUEUE_SECOND: second, QUEUE_PLAIN: plain };
    super({ BACKLOG_HIGH_WATER: "100", ...env, ...queues } as Partial<IngestEnv>, { plan: stagedPlan() });
    this.first = first;
    this.second = second;
  }

  send(source: string) {
    return this.post("1", {}, `/v1/sources/${source}`);
  }
}

describe("the queues of stages", () => {
  it("are found behind a source through whatever lies between, and each once", () => {
    const { sources } = stagedPlan();
    const behind = (source: string) =>
      stagesBehind(sources.get(source) as SourcePlan).map(({ name }) => name);
    expect(behind("clicks")).toEqual(["first", "second"]);
    expect(behind("things")).toEqual(["second"]);
    expect(behind("plain")).toEqual([]);
  });

  it("refuse for every source that feeds them, and for no other, and say which and what to do", async () => {
    const door = new StagedDoor();
    door.first.backlog = 10;
    const refused = await door.send("clicks");
    expect(refused).toMatchObject({
      status: 429,
      body: { queue: "millrace-first", stage: "first", backlog: 10, limit: 10 },
    });
    expect(refused.headers.get("retry-after")).toMatch(/^[1-9]\d*$/);
    expect(refused.body.detail).toMatch(/^10 messages wait in the queue millrace-first for the stage first/);
    expect(refused.body.detail).toMatch(/try again later, or .*concurrency/);
    expect(door.clicks.sends).toEqual([]);
    expect((await door.send("things")).status).toBe(202);

    door.clock.advance(1000);
    door.first.backlog = 9;
    door.second.backlog = 100;
    expect(await door.send("clicks")).toMatchObject({ status: 429, body: { stage: "second", limit: 100 } });
    expect(await door.send("things")).toMatchObject({ status: 429, body: { stage: "second", limit: 100 } });
    expect((await door.send("plain")).status).toBe(202);

    door.clock.advance(1000);
    door.second.backlog = 99;
    expect((await door.send("clicks")).status).toBe(202);
  });

  it("name the one that is furthest over its mark", async () => {
    const door = new StagedDoor();
    door.clicks.backlog = 150;
    door.first.backlog = 12;
    door.second.backlog = 120;
    const own = await door.send("clicks");
    expect(own).toMatchObject({ status: 429, body: { queue: "millrace-clicks", backlog: 150, limit: 100 } });
    expect(own.body).not.toHaveProperty("stage");
    expect(own.body.detail).toMatch(/^150 messages wait in the queue millrace-clicks, /);
    door.clock.advance(1000);
    door.first.backlog = 20;
    expect(await door.send("clicks")).toMatchObject({ status: 429, body: { stage: "first", backlog: 20 } });
  });

  it("are asked once a second for all sources and requests together", async () => {
    const door = new StagedDoor();
    const answers = await Promise.all([door.send("clicks"), door.send("things")]);
    expect(answers.map(({ status }) => status)).toEqual([202, 202]);
    door.clock.advance(999);
    await door.send("clicks");
    await door.send("things");
    expect([door.first.asked, door.second.asked]).toEqual([1, 1]);
    door.clock.advance(1);
    await door.send("clicks");
    expect([door.first.asked, door.second.asked]).toEqual([2, 2]);
  });

  it("are asked at the same time as the own one", async () => {
    const door = new StagedDoor();
    const all = Promise.withResolvers<void>();
    let asked = 0;
    for (const queue of [door.clicks, door.first, door.second]) {
      // Each answers only when all have been asked.
      queue.metrics = async () => {
        if (++asked === 3) all.resolve();
        await all.promise;
        return { backlogCount: 0, backlogBytes: 0 };
      };
    }
    expect((await door.send("clicks")).status).toBe(202);
  });

  it("are not asked where there are none", async () => {
    const door = new StagedDoor();
    door.first.backlog = door.second.backlog = 1e6;
    expect((await door.send("plain")).status).toBe(202);
    expect([door.first.asked, door.second.asked]).toEqual([0, 0]);
  });

  it("let requests in when they do not answer, and are left alone for a second", async () => {
    const door = new StagedDoor();
    door.first.backlog = 10;
    expect((await door.send("clicks")).status).toBe(429);
    door.clock.advance(1000);
    const failing = vi.fn(() => Promise.reject(new Error("no metrics")));
    door.first.metrics = failing;
    expect((await door.send("clicks")).status).toBe(202);
    expect((await door.send("clicks")).status).toBe(202);
    expect(failing).toHaveBeenCalledOnce();
  });

  it("let requests in where the Worker is not bound to them", async () => {
    const door = new StagedDoor();
    delete door.env.QUEUE_FIRST;
    expect((await door.send("clicks")).status).toBe(202);
    expect(console.warn).toHaveBeenCalledWith(expect.stringContaining("QUEUE_FIRST"));
    door.clock.advance(1000);
    door.second.backlog = 100;
    expect((await door.send("clicks")).status).toBe(429);
  });

  it("do not hold up a request by never answering", async () => {
    vi.useFakeTimers();
    try {
      const door = new StagedDoor();
      door.first.metrics = () => new Promise(() => {});
      const answer = door.send("clicks");
      await vi.advanceTimersByTimeAsync(1000);
      expect((await answer).status).toBe(202);
      // While one waits, others go by what is known.
      expect((await door.send("clicks")).status).toBe(202);
    } finally {
      vi.useRealTimers();
    }
  });
});
