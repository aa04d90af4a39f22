/** cron: one event for each instant of a schedule, made up for after downtime, right where clocks are turned. */
import { expect, test } from "vitest";
import { cron, PlanError } from "../../src/index.ts";
import { PullRun, requestOf, START } from "./pulls.ts";

const HOUR = 3_600_000;
const iso = (time: number) => new Date(time).toISOString();

/** The instants of a schedule between two times, as ISO 8601. */
function instants(schedule: string, from: string, to: string, timezone?: string): string[] {
  const source = cron("c", schedule, iso, timezone === undefined ? {} : { timezone });
  const { events } = source.getEvents(requestOf(Date.parse(from), Date.parse(to), 10_000));
  return events.map(({ data }) => data);
}

test("gives each instant from the first start on, once, with the instant in its id", async () => {
  const run = new PullRun(cron("minutes", "*/5 * * * *", (time) => ({ at: iso(time) })));
  await run.pass(15 * 60_000);
  expect(run.seen).toEqual(
    ["08:20", "08:25", "08:30"].map((time) => ({
      id: `minutes-2026-11-26T${time}:00.000Z`,
      time: `2026-11-26T${time}:00.000Z`,
      data: { at: `2026-11-26T${time}:00.000Z` },
    })),
  );
  await run.now();
  expect(run.seen).toHaveLength(3);
});

test("makes up for what was missed, all of it, in parts", async () => {
  const run = new PullRun(cron("minutes", "* * * * *", iso));
  await run.now();
  run.sleep(1_200 * 60_000);
  await run.now();
  const first = Math.ceil(START / 60_000) * 60_000;
  expect(run.seen.map(({ time }) => time)).toEqual(
    Array.from({ length: 1_200 }, (_, n) => iso(first + n * 60_000)),
  );
});

test("takes seconds too", () => {
  expect(instants("*/20 30 8 * * *", "2026-11-26T00:00:00Z", "2026-11-27T00:00:00Z")).toEqual(
    ["00", "20", "40"].map((second) => `2026-11-26T08:30:${second}.000Z`),
  );
});

test("an instant is due when it has come, not before, and not after it again", () => {
  const source = cron("c", "30 8 * * *", iso);
  const due = Date.UTC(2026, 10, 26, 8, 30);
  const before = source.getEvents(requestOf(due - HOUR, due - 1));
  expect(before).toEqual({ events: [], offset: due - HOUR, next: due });
  const on = source.getEvents(requestOf(before.offset, due));
  expect(on.events.map(({ time }) => time)).toEqual([due]);
  expect(source.getEvents(requestOf(on.offset, due)).events).toEqual([]);
  // Calls a fraction of a second before and behind it, which alarms make.
  expect(source.getEvents(requestOf(due - 1, due + 1)).events).toHaveLength(1);
  expect(source.getEvents(requestOf(due, due + 1)).events).toEqual([]);
});

test("looks at least once an hour whether a deployment has brought another schedule", () => {
  const { offset, next } = cron("c", "0 0 1 1 *", iso).getEvents(requestOf(undefined, START));
  expect(next).toBe(START + HOUR);
  expect(cron("c", "*/5 * * * *", iso).getEvents(requestOf(offset, next ?? 0)).events).toHaveLength(12);
});

test("a day that there is not is a schedule without instants", () => {
  expect(cron("c", "0 0 31 2 *", iso).getEvents(requestOf(START, START + HOUR))).toEqual({
    events: [],
    offset: START,
    next: START + 2 * HOUR,
  });
});

test("every hour is every hour, over each change of the clocks", () => {
  for (const [timezone, day, past = 0] of [
    ["UTC", "2026-03-28"],
    ["Europe/Berlin", "2026-03-28"],
    ["Europe/Berlin", "2026-10-24"],
    ["America/New_York", "2026-03-07"],
    ["America/New_York", "2026-10-31"],
    // 05:45 ahead: its hours begin at a quarter past ours.
    ["Asia/Kathmandu", "2026-03-28", HOUR / 4],
  ] as const) {
    const from = Date.parse(`${day}T00:00:00Z`);
    expect(instants("0 * * * *", iso(from - 1), iso(from + 72 * HOUR - 1), timezone)).toEqual(
      Array.from({ length: 72 }, (_, n) => iso(from + n * HOUR + past)),
    );
  }
});

test("once a day stays once a day where clocks are turned", () => {
  const days = (schedule: string, from: string) =>
    instants(schedule, from, iso(Date.parse(from) + 48 * HOUR), "Europe/Berlin");
  // 29 March 2026: 02:00 to 03:00 is left out. 25 October 2026: it comes twice.
  expect(days("30 2 * * *", "2026-03-28T12:00:00Z")).toEqual([
    "2026-03-29T01:00:00.000Z",
    "2026-03-30T00:30:00.000Z",
  ]);
  expect(days("30 2 * * *", "2026-10-24T12:00:00Z")).toEqual([
    "2026-10-25T00:30:00.000Z",
    "2026-10-26T01:30:00.000Z",
  ]);
  expect(days("30 4 * * *", "2026-03-28T12:00:00Z")).toEqual([
    "2026-03-29T02:30:00.000Z",
    "2026-03-30T02:30:00.000Z",
  ]);
});

test("what is no schedule or no time zone is a plan error that shows one", () => {
  for (const schedule of ["", "every day", "* * * *", "61 * * * *", "* * * * * * *", "2026-01-01T00:00:00"]) {
    expect(() => cron("c", schedule, iso)).toThrow(PlanError);
  }
  expect(() => cron("c", "soon", iso)).toThrow(
    /source c: "soon" in UTC is no schedule .*"\*\/5 \* \* \* \*"/,
  );
  expect(() => cron("c", "* * * * *", iso, { timezone: "Europe/Atlantis" })).toThrow(/Europe\/Atlantis/);
});
