/** Event time at the door: holds that nobody waits for, stated watermarks, and the requests of a replay. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { SourceCollector } from "../../../src/index.ts";
import { count, Job, planJobs, Source, tumbling } from "../../../src/index.ts";
import { Door, FakeQueue } from "./fakes.ts";

interface Tick {
  readonly key?: string;
  readonly time?: number;
  readonly watermark?: number;
}

class Ticks extends Source<Tick> {
  getEvents(input: unknown, collector: SourceCollector<Tick>): void {
    const tick = input as Tick;
    if (tick.watermark !== undefined) collector.watermark(tick.watermark);
    if (tick.key !== undefined) collector.emit(tick, { time: tick.time });
  }
}

function plan() {
  const job = new Job("timed");
  for (const source of [
    new Ticks("ticks", { outOfOrderness: "1 second" }),
    new Ticks("stated", { watermarks: "explicit" }),
  ]) {
    job
      .addSource(source)
      .keyBy(({ key = "" }) => key)
      .window(tumbling("1 second"))
      .aggregate(`windows-of-${source.name}`, count());
  }
  job
    .addSource(new Ticks("plain"))
    .keyBy(({ key = "" }) => key)
    .aggregate("counts", count());
  return planJobs([job]);
}

class TimedDoor extends Door {
  readonly ticks: FakeQueue;

  constructor() {
    const ticks = new FakeQueue();
    const queues = { QUEUE_TICKS: ticks, QUEUE_STATED: ticks, QUEUE_PLAIN: ticks };
    super(queues as never, { plan: plan() });
    this.ticks = ticks;
  }

  send(source: string, body: unknown, headers?: Record<string, string>) {
    return this.post(body, headers, `/v1/sources/${source}`);
  }

  get times() {
    return this.ticks.segments.map(({ time }) => time);
  }

  /** Lets time pass until there is an answer. */
  async after<T>(answer: Promise<T>): Promise<T> {
    let done = false;
    void answer.finally(() => {
      done = true;
    });
    while (!done) {
      await vi.advanceTimersByTimeAsync(100);
      await new Promise(setImmediate);
    }
    return answer;
  }

  /** Everything that goes on by itself ends. */
  async settle(ms: number): Promise<void> {
    this.clock.advance(ms);
    await vi.advanceTimersByTimeAsync(ms);
    await Promise.all(this.background);
  }
}

let door: TimedDoor;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  door = new TimedDoor();
});
afterEach(() => vi.useRealTimers());

describe("a hold", () => {
  test("is opened with the first request, shared by those of its second, and closed by itself with what was sent", async () => {
    for (let n = 0; n < 3; n++) expect((await door.send("ticks", { key: "a" })).status).toBe(202);
    const [opened] = door.coordinator.reports;
    const hold = opened?.opened[0]?.hold;
    expect(opened?.opened).toEqual([
      { source: "ticks", hold: expect.any(String), start: 1_000_000, until: 1_001_000 },
    ]);
    expect(door.times).toEqual([0, 1, 2].map((n) => ({ hold, n })));
    expect(door.coordinator.reports).toHaveLength(1);
    await door.settle(1_100);
    expect(door.coordinator.reports[1]).toMatchObject({
      opened: [],
      closed: [{ source: "ticks", hold, sent: 3, lost: [], unsure: [] }],
    });
    await door.send("ticks", { key: "a" });
    expect(door.coordinator.reports.at(-1)?.opened[0]?.hold).not.toBe(hold);
  });

  test("says what the queue has not taken, and of what nobody knows", async () => {
    const refused = () => new Error("queue send failed: 10250 backlog full");
    const unknown = () => new Error("network connection lost");
    door.ticks.script.push(...Array.from({ length: 20 }, () => ({ error: refused() })));
    const first = await door.send("ticks", { key: "a" });
    door.ticks.script.length = 0;
    door.ticks.script.push(...Array.from({ length: 20 }, () => ({ error: unknown() })));
    const second = await door.send("ticks", { key: "a" });
    door.ticks.script.length = 0;
    await door.send("ticks", { key: "a" });
    await door.settle(1_100);
    expect([first.status, second.status]).toEqual([503, 503]);
    const outcomes = [first, second].map(({ body }) => body.outcome);
    const [closed] = door.coordinator.reports.flatMap((report) => report.closed);
    expect(closed?.sent).toBe(3);
    const numbers = (outcome: string) => outcomes.flatMap((one, n) => (one === outcome ? [n] : []));
    expect(closed).toMatchObject({ lost: numbers("none"), unsure: numbers("unknown") });
    expect(outcomes).toContain("unknown");
  });

  test("is in nobody's way: a coordinator that is gone delays no answer, and is told when it is back", async () => {
    door.coordinator.error = new Error("gone");
    expect((await door.send("ticks", { key: "a" })).status).toBe(202);
    expect(door.ticks.segments).toHaveLength(1);
    door.coordinator.error = undefined;
    await door.settle(3_000);
    expect(door.coordinator.reports.flatMap(({ opened }) => opened)).toHaveLength(1);
    expect(door.coordinator.reports.flatMap(({ closed }) => closed)).toMatchObject([{ sent: 1 }]);
  });

  test("also covers what clients number or name; nothing is held where nothing goes by event time", async () => {
    await door.send("ticks", { key: "a" }, { "millrace-producer": "p", "millrace-sequence": "0" });
    await door.send("ticks", { key: "a" }, { "idempotency-key": "k" });
    await door.send("ticks", { key: "a" });
    expect(door.times.map((time) => time?.n)).toEqual([0, 1, 2]);
    // Refused before anything is sent: no number is missing.
    expect((await door.send("ticks", [{}])).status).toBe(400);
    await door.settle(1_100);
    expect(door.coordinator.reports.flatMap(({ closed }) => closed)).toMatchObject([{ sent: 3, lost: [] }]);
    const before = door.coordinator.reports.length;
    await door.send("plain", { key: "a" });
    expect(door.coordinator.reports).toHaveLength(before);
    expect(door.times.at(-1)).toBeUndefined();
  });
});

test("a stated watermark is accepted without an event, by the sources that state it", async () => {
  const answer = await door.send("stated", { watermark: 5_000 });
  expect([answer.status, answer.body.accepted]).toEqual([202, 0]);
  expect(door.times).toEqual([{ hold: expect.any(String), n: 0, watermark: 5_000 }]);
  expect((await door.send("stated", [{ watermark: 7_000 }, { key: "a" }, { watermark: 6_000 }])).status).toBe(
    202,
  );
  expect(door.times.at(-1)).toMatchObject({ n: 1, watermark: 7_000 });
  const refused = await door.send("ticks", { watermark: 5_000 });
  expect(refused.status).toBe(400);
  expect(refused.body.rejected[0].error).toContain('watermarks: "explicit"');
  const wrong = await door.send("stated", { watermark: -1 });
  expect(wrong.body.rejected[0].error).toContain("watermark:");
});

describe("a replay", () => {
  const numbered = (sequence: number, more: Record<string, string> = {}) => ({
    "millrace-producer": "log",
    "millrace-sequence": String(sequence),
    "millrace-replay": "1",
    ...more,
  });

  test("asks to be let in, with its event times, and carries what came before it instead of a hold", async () => {
    door.coordinator.script.push({ front: -1 }, { front: 400 });
    await door.send(
      "ticks",
      [
        { key: "a", time: 400 },
        { key: "a", time: 100 },
      ],
      numbered(0),
    );
    const last = await door.send("ticks", { key: "a", time: 500 }, numbered(1, { "millrace-end": "1" }));
    expect(last.status).toBe(202);
    expect(door.coordinator.admissions).toMatchObject([
      { source: "ticks", sequence: 0, earliest: 100, latest: 400, end: false },
      { source: "ticks", sequence: 1, earliest: 500, latest: 500, end: true },
    ]);
    const producer = door.ticks.segments[0]?.producer;
    expect(door.times).toEqual([
      { hold: producer, n: 0, front: -1 },
      { hold: producer, n: 1, front: 400 },
    ]);
    expect(door.coordinator.reports).toEqual([]);
  });

  test("waits a while for the request before it, and then says which is missing", async () => {
    door.coordinator.script.push({ wait: 2 }, { wait: 2 }, { front: 9 });
    const answer = await door.after(door.send("ticks", { key: "a", time: 10 }, numbered(3)));
    expect(answer.status).toBe(202);
    door.coordinator.script.push(...Array.from({ length: 50 }, () => ({ wait: 2 })));
    const missing = await door.after(door.send("ticks", { key: "a", time: 10 }, numbered(3)));
    expect(missing).toMatchObject({
      status: 409,
      body: { missing: 2, detail: expect.stringContaining("request 2 of this replay has not come") },
    });
  });

  test("is refused with the reason, or when nobody answers: nothing is sent", async () => {
    door.coordinator.script.push({ refused: "event time has come further" });
    const refused = await door.send("ticks", { key: "a", time: 1 }, numbered(0));
    expect(refused).toMatchObject({ status: 409, body: { detail: expect.stringContaining("further") } });
    door.coordinator.error = new Error("gone");
    const gone = await door.send("ticks", { key: "a", time: 1 }, numbered(0));
    expect(gone).toMatchObject({ status: 503, body: { outcome: "none" } });
    expect(door.ticks.sent).toEqual([]);
  });

  test("of which nothing is accepted takes its number all the same", async () => {
    const answer = await door.send("ticks", [{}], numbered(0));
    expect(answer.status).toBe(400);
    expect(door.times).toMatchObject([{ n: 0, front: -1 }]);
    // Where nothing goes by event time the headers mean nothing.
    expect((await door.send("plain", { key: "a" }, numbered(7))).status).toBe(202);
    expect(door.times.at(-1)).toBeUndefined();
  });
});
