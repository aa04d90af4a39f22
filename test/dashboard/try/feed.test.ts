/** Feeder: keeps its rate, waits when it is told to, stops when it must, and counts what was answered. */
import { describe, expect, it } from "vitest";
import { ApiProblem } from "../../../workers/dashboard/api/problem.ts";
import { acceptedRate, IDLE, median } from "../../../workers/dashboard/try/feed/feed-state.ts";
import type { FeederPorts } from "../../../workers/dashboard/try/feed/feeder.ts";
import { Feeder } from "../../../workers/dashboard/try/feed/feeder.ts";
import { Pacer } from "../../../workers/dashboard/try/feed/pacer.ts";
import { PATHS, pickPath } from "../../../workers/dashboard/try/feed/paths.ts";
import { templateOf } from "../../../workers/dashboard/try/feed/probe.ts";
import { positionOf, rateOf } from "../../../workers/dashboard/try/feed/rates.ts";
import { eventOf } from "../../../workers/dashboard/try/feed/template.ts";
import { Random } from "../../simulation/random.ts";

describe("the pacer", () => {
  it.each([1, 7, 40, 333, 1000])("gives %i a second, however it is asked", (rate) => {
    const random = new Random(rate);
    const pacer = new Pacer(0);
    let now = 0;
    let events = 0;
    while (now < 60_000) {
      now += random.int(1, 400);
      events += pacer.take(now, rate);
    }
    expect(Math.abs(events - (now * rate) / 1000)).toBeLessThanOrEqual(1);
  });

  it("gives whole steps, and does not make up for a long stall", () => {
    const pacer = new Pacer(0);
    expect(pacer.take(300, 40, 5)).toBe(10);
    expect(pacer.take(310, 40, 5)).toBe(0);
    expect(pacer.take(60_000, 40, 5)).toBe(40);
    expect(new Pacer(0).take(900, 1, 5)).toBe(0);
  });
});

describe("pages and templates", () => {
  it("picks each page, the first most often", () => {
    const picked = Array.from({ length: 10_000 }, (_, n) => pickPath(n / 10_000));
    expect(new Set(picked)).toEqual(new Set(PATHS));
    const times = (path: string | undefined) => picked.filter((one) => one === path).length;
    expect(times(PATHS[0])).toBeGreaterThan(1.9 * times(PATHS[1]));
    expect(pickPath(0.999_999_999)).toBe(PATHS.at(-1));
  });

  it("fills a template, as JSON where it is JSON", () => {
    const filling = { n: 3, random: () => 0, now: 99 };
    expect(eventOf("{path}", filling)).toBe("/try/home");
    expect(eventOf('{"url": "{path}", "n": {n}, "time": {now}, "r": {random}}', filling)).toEqual({
      url: "/try/home",
      n: 3,
      time: 99,
      r: 0,
    });
    expect(eventOf("{other} {", filling)).toBe("{other} {");
  });

  it("has a slider from one to its end, which finds its place again", () => {
    expect([rateOf(0, 1000), rateOf(100, 1000), rateOf(100, 100)]).toEqual([1, 1000, 100]);
    const rates = Array.from({ length: 101 }, (_, position) => rateOf(position, 1000));
    expect(rates).toEqual(rates.toSorted((a, b) => a - b));
    for (const rate of [1, 2, 5, 20, 100, 450, 1000]) {
      expect(Math.abs(rateOf(positionOf(rate, 1000), 1000) / rate - 1)).toBeLessThan(0.1);
    }
  });
});

describe("the probe", () => {
  const refusing =
    (...indexes: number[]) =>
    () =>
      Promise.reject(
        new ApiProblem(
          400,
          "strict",
          undefined,
          indexes.map((index) => ({ index, error: "no" })),
        ),
      );

  it("tells from what is wrong what is right", async () => {
    expect(await templateOf("s", refusing(2))).toBe("{path}");
    expect(await templateOf("s", refusing(0, 2))).toBe('{"url": "{path}"}');
    expect(await templateOf("s", refusing(0, 1, 2))).toBeUndefined();
    // Refused as a whole, for another reason: that says nothing of its lines.
    expect(await templateOf("s", refusing())).toBeUndefined();
    await expect(templateOf("s", () => Promise.reject(new ApiProblem(403, "no")))).rejects.toThrow("no");
  });

  it("sends what cannot be accepted by anybody", async () => {
    const bodies: string[] = [];
    await templateOf("s", async (_source, body) => bodies.push(body)).catch(() => undefined);
    expect(() => JSON.parse(bodies[0]?.split("\n").at(-1) ?? "")).toThrow(SyntaxError);
  });
});

/** Waits of a feeder end when the test lets time pass. */
class World implements FeederPorts {
  time = 0;
  readonly sent: (readonly unknown[])[] = [];
  answer: (events: readonly unknown[]) => Promise<{ accepted: number }> = async ({ length }) => ({
    accepted: length,
  });
  #waits: { until: number; resolve: () => void }[] = [];

  async post(_source: string, events: readonly unknown[]) {
    this.sent.push(events);
    const { accepted } = await this.answer(events);
    return { body: { accepted, rejected: [], ticket: "t" }, ms: 5 };
  }

  now(): number {
    return this.time;
  }

  random(): number {
    return 0;
  }

  wait(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#waits.push({ until: this.time + ms, resolve });
      signal.addEventListener("abort", () => resolve());
    });
  }

  async pass(ms: number): Promise<void> {
    for (const end = this.time + ms; this.time < end; ) {
      this.time += 50;
      const due = this.#waits.filter(({ until }) => until <= this.time);
      this.#waits = this.#waits.filter(({ until }) => until > this.time);
      for (const { resolve } of due) resolve();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

const order = { source: "clicks", template: "{path}", rate: () => 40 };

describe("a feeder", () => {
  it("sends at its rate, in a few requests a second, until it is stopped", async () => {
    const world = new World();
    const feeder = new Feeder(world);
    feeder.start(order);
    await world.pass(2_000);
    expect(feeder.state.value).toMatchObject({ running: true, accepted: 80, refusalCount: 0 });
    expect(world.sent.length).toBeLessThanOrEqual(8);
    expect(acceptedRate(feeder.state.value, world.time)).toBe(40);
    feeder.stop();
    await world.pass(2_000);
    expect(feeder.state.value).toMatchObject({ running: false, accepted: 80 });
  });

  it("gives each request as many events as it is told", async () => {
    const world = new World();
    new Feeder(world).start({ ...order, perRequest: 5 });
    await world.pass(1_000);
    expect(world.sent.map(({ length }) => length)).toEqual(Array(8).fill(5));
  });

  it("sends nothing for as long as a refusal says, and then goes on without a burst", async () => {
    const world = new World();
    const feeder = new Feeder(world);
    world.answer = () => Promise.reject(new ApiProblem(429, "too much waits", 3));
    feeder.start(order);
    await world.pass(1_000);
    expect(world.sent).toHaveLength(1);
    expect(feeder.state.value).toMatchObject({ refusalCount: 1, problem: "too much waits", accepted: 0 });
    expect(feeder.state.value.waitingUntil).toBe(3_250);
    world.answer = async ({ length }) => ({ accepted: length });
    await world.pass(2_000);
    expect(world.sent).toHaveLength(1);
    await world.pass(1_000);
    expect(feeder.state.value.accepted).toBeLessThanOrEqual(60);
    expect(feeder.state.value.accepted).toBeGreaterThan(0);
    expect(feeder.state.value).not.toHaveProperty("waitingUntil");
    expect(feeder.state.value).not.toHaveProperty("problem");
  });

  it("tries again after it was offline, and says that it does not know of what it sent", async () => {
    const world = new World();
    const feeder = new Feeder(world);
    world.answer = () => Promise.reject(new ApiProblem(0, "no answer"));
    feeder.start(order);
    await world.pass(500);
    expect(feeder.state.value).toMatchObject({ running: true, unanswered: 10, problem: "no answer" });
    world.answer = async ({ length }) => ({ accepted: length });
    await world.pass(3_000);
    expect(feeder.state.value.accepted).toBeGreaterThan(0);
  });

  it("stops when the source will not have it, or the key may not", async () => {
    const world = new World();
    const feeder = new Feeder(world);
    const rejected = [{ index: 0, error: "url: empty" }];
    world.answer = () => Promise.reject(new ApiProblem(400, "see rejected", undefined, rejected));
    feeder.start(order);
    await world.pass(500);
    expect(feeder.state.value).toMatchObject({
      running: false,
      rejected: 10,
      problem: "The source rejects this: url: empty",
    });
    world.answer = () => Promise.reject(new ApiProblem(403, "this key may not ingest"));
    feeder.start(order);
    await world.pass(500);
    expect(feeder.state.value).toMatchObject({ running: false, problem: "this key may not ingest" });
  });
});

it("has the median of what it knows", () => {
  expect([median([]), median([5]), median([9, 1, 5]), median([1, 2, 3, 4])]).toEqual([undefined, 5, 5, 2]);
  expect(acceptedRate(IDLE, 10_000)).toBe(0);
});
