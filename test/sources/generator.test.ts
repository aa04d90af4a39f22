/** generator: keeps its rate by the clock, numbers without a gap, and does not drown what follows after downtime. */
import { expect, test } from "vitest";
import { generator, PlanError } from "../../src/index.ts";
import { PullRun, requestOf, START } from "./pulls.ts";

const at = (ms: number) => new Date(START + ms).toISOString();

test("makes the nth event at its time, with its number in its id", async () => {
  const run = new PullRun(generator("synthetic", { rate: 2, make: (n, time) => ({ n, time }) }));
  await run.pass(2_000);
  expect(run.seen).toEqual(
    [0, 500, 1_000, 1_500, 2_000].map((ms, n) => ({
      id: `synthetic-${n}`,
      time: at(ms),
      data: { n, time: START + ms },
    })),
  );
});

test.each([0.1, 3, 7, 999.9, 5_432.1])("keeps a rate of %f a second for a minute", (rate) => {
  const source = generator("synthetic", { rate, make: (n) => n, every: "5 seconds" });
  let answer = source.getEvents(requestOf(undefined, START));
  const numbers = answer.events.map(({ data }) => data);
  while ((answer.next as number) <= START + 60_000) {
    answer = source.getEvents(requestOf(answer.offset, answer.next as number, 10_000));
    for (const { data } of answer.events) numbers.push(data);
  }
  // The first one comes at once, and the last one may fall on either side of the end.
  expect(Math.abs(numbers.length - (Math.floor(60 * rate) + 1))).toBeLessThanOrEqual(1);
  expect(numbers.every((data, n) => data === n)).toBe(true);
});

test("asks no more often than every second, and no more often than there is something", () => {
  const make = (n: number) => n;
  const fast = generator("fast", { rate: 100, make }).getEvents(requestOf(undefined, START));
  expect(fast.next).toBe(START + 1_000);
  const slow = generator("slow", { rate: 0.01, make }).getEvents(requestOf(undefined, START));
  expect(slow.next).toBe(START + 100_000);
});

test("gives what is more than one answer may hold in several, at once", () => {
  const source = generator("synthetic", { rate: 1_000, make: (n) => n });
  let { events, offset, next } = source.getEvents(
    requestOf({ next: 5, from: 5, origin: START, rate: 1 }, START + 2_000, 1_000),
  );
  expect(events.map(({ data }) => data)).toEqual(Array.from({ length: 1_000 }, (_, n) => n + 5));
  expect(next).toBe(START + 2_000);
  ({ events, offset, next } = source.getEvents(requestOf(offset, START + 2_000, 1_000)));
  ({ events, offset, next } = source.getEvents(requestOf(offset, START + 2_000, 1_000)));
  expect(events.map(({ data }) => data)).toEqual([2_005]);
  expect(next).toBe(START + 3_000);
});

test("after downtime makes up for ten seconds, or what it is told, and the one that was due anyway, without a gap in the numbers", async () => {
  for (const [catchUp, expected] of [
    [undefined, 111],
    ["1 second", 21],
    [0, 11],
  ] as const) {
    const run = new PullRun(
      generator("synthetic", { rate: 10, make: (n) => n, ...(catchUp === undefined ? {} : { catchUp }) }),
    );
    await run.pass(1_000);
    expect(run.seen).toHaveLength(11);
    run.sleep(3_600_000);
    await run.now();
    expect(run.seen.length - 11).toBe(expected);
    expect(run.seen.map(({ id }) => id)).toEqual(run.seen.map((_, n) => `synthetic-${n}`));
  }
});

test("ends at its limit, and costs nothing from then on", async () => {
  const source = generator("synthetic", { rate: 10, make: (n) => n, limit: 25 });
  const run = new PullRun(source);
  await run.pass(86_400_000);
  expect(run.seen).toHaveLength(25);
  const done = { next: 25, from: 0, origin: START, rate: 0.01 };
  expect(source.getEvents(requestOf(done, START + 9e9))).toEqual({
    events: [],
    offset: done,
    next: START + 9e9 + 3_600_000,
  });
});

test("an event that cannot be made is tried again, and its neighbours are neither lost nor doubled", async () => {
  let failures = 3;
  const run = new PullRun(
    generator("synthetic", {
      rate: 1,
      make: (n) => {
        if (n === 2 && failures-- > 0) throw new Error("not now");
        return n;
      },
    }),
  );
  await run.pass(20_000);
  expect(run.errors).toEqual(Array(3).fill("not now"));
  expect(run.seen.map(({ data }) => data)).toEqual(run.seen.map((_, n) => n));
  expect(run.seen).toHaveLength(21);
});

test("another rate takes effect from the next event on", () => {
  const { offset } = generator("g", { rate: 1, make: (n) => n }).getEvents(requestOf(undefined, START));
  const faster = generator("g", { rate: 4, make: (n) => n }).getEvents(requestOf(offset, START + 2_000));
  expect(faster.events.map(({ time, data }) => [time, data])).toEqual([
    [START + 1_000, 1],
    [START + 1_250, 2],
    [START + 1_500, 3],
    [START + 1_750, 4],
    [START + 2_000, 5],
  ]);
});

test("options that make no sense are plan errors", () => {
  const make = (n: number) => n;
  for (const rate of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => generator("g", { rate, make })).toThrow(/source g: rate must be above 0/);
  }
  expect(() => generator("g", { rate: 1, make, limit: 0 })).toThrow(PlanError);
  expect(() => generator("g", { rate: 1, make, catchUp: "a while" })).toThrow(/source g: catchUp/);
});
