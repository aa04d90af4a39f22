/**
 * Disorder: whatever order and however often a queue delivers, what is late is what a plain oracle says at the door, from an
 * event's time and its arrival alone.
 */
import { describe, expect, test } from "vitest";
import type { SourceCollector } from "../../src/index.ts";
import { count, Job, Source, tumbling } from "../../src/index.ts";
import { TestDriver } from "../../src/testing/index.ts";
import { Random } from "../simulation/random.ts";

interface Tick {
  readonly id: string;
  readonly key: string;
  readonly time: number;
}

interface Arrived extends Tick {
  readonly arrival: number;
  readonly source: Side;
}

type Side = keyof typeof BOUND;

const BOUND = { near: 1_000, far: 4_000 } as const;
const SIZE = 1_000;
const LATENESS = 700;
const START = 1_000_000;

class Ticks extends Source<Tick> {
  getEvents(input: unknown, collector: SourceCollector<Tick>): void {
    const tick = input as Tick;
    collector.emit(tick, { time: tick.time, id: tick.id });
  }
}

/** Two sources with bounds of their own into one window, and into another one that takes late events for a while. */
function ticksJob() {
  const job = new Job("ticks");
  const source = (name: Side) => job.addSource(new Ticks(name, { outOfOrderness: BOUND[name] }));
  const both = source("near")
    .union(source("far"))
    .keyBy(({ key }) => key);
  const strict = both.window(tumbling(SIZE)).aggregate("strict", count());
  const patient = both.window(tumbling(SIZE), { lateness: LATENESS }).aggregate("patient", count());
  return { job, strict, patient };
}

/** Bursts from both sources, seconds apart: events from on time to far behind. */
function burstsOf(random: Random): Map<number, { source: Side; ticks: Tick[] }[]> {
  const bursts = new Map<number, { source: Side; ticks: Tick[] }[]>();
  let now = START;
  let id = 0;
  for (let n = 0; n < 12; n++) {
    now += random.pick([1, 300, 999, 1_000, 2_500]);
    const sends = [...(Object.keys(BOUND) as Side[])].map((source) => ({
      source,
      ticks: Array.from({ length: random.int(0, 5) }, () => ({
        id: `t${id++}`,
        key: random.pick(["a", "b", "c"]),
        time: now - random.int(0, random.pick([10, BOUND[source], 2 * BOUND[source]])),
      })),
    }));
    bursts.set(now, sends);
  }
  return bursts;
}

const startOf = (time: number) => Math.floor(time / SIZE) * SIZE;

function isLate({ time, arrival, source }: Arrived, lateness: number): boolean {
  return startOf(time) + SIZE - 1 + lateness <= arrival - BOUND[source] - 1;
}

function countsOf(ticks: readonly Tick[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { key, time } of ticks) {
    const window = `${startOf(time)} ${key}`;
    counts[window] = (counts[window] ?? 0) + 1;
  }
  return counts;
}

describe.each([...Array(50).keys()])("seed %i", (seed) => {
  test("on-time events are counted, late ones are late, each once", async () => {
    const { job, strict, patient } = ticksJob();
    const driver = new TestDriver(job, {
      start: START,
      shards: 1 + (seed % 4),
      faults: { shuffle: seed, duplicates: true, restarts: seed % 2 === 0 },
    });
    const results = { strict: driver.output(strict), patient: driver.output(patient) };
    const late = { strict: driver.output(strict.late), patient: driver.output(patient.late) };
    const arrived: Arrived[] = [];
    for (const [now, sends] of burstsOf(new Random(seed))) {
      await driver.advanceTo(now);
      for (const { source, ticks } of sends) {
        await driver.send(source, ...ticks);
        arrived.push(...ticks.map((tick) => ({ ...tick, arrival: now, source })));
      }
    }
    await driver.advance("20 seconds");
    let lates = 0;
    for (const [name, lateness] of [
      ["strict", 0],
      ["patient", LATENESS],
    ] as const) {
      const isLateHere = (one: Arrived) => isLate(one, lateness);
      const expected = countsOf(arrived.filter((one) => !isLateHere(one)));
      const windows = driver.view(name).windows();
      expect(
        Object.fromEntries(windows.map(({ key, window, value }) => [`${window.start} ${key}`, value])),
      ).toEqual(expected);
      expect(windows.every(({ final }) => final)).toBe(true);
      const lateIds = arrived.filter(isLateHere).map(({ id }) => id);
      lates += lateIds.length;
      expect(
        late[name]
          .read()
          .map(({ data }) => data.id)
          .toSorted(),
      ).toEqual(lateIds.toSorted());
      // What was shown last of each window is all of it; before its end nothing is shown.
      const shown = results[name].read().map(({ data }) => data);
      const last = new Map(shown.map(({ key, window, value }) => [`${window.start} ${key}`, value]));
      expect(Object.fromEntries(last)).toEqual(expected);
      if (lateness === 0) expect(shown.map(({ pane }) => pane.timing)).toEqual(shown.map(() => "on-time"));
    }
    expect(driver.failures).toEqual([]);
    expect(arrived.length).toBeGreaterThan(30);
    expect(lates).toBeLessThan(arrived.length);
  });
});

test("the seeds have both: events that are late by one millisecond, and events that are not", () => {
  const margins = [...Array(50).keys()].flatMap((seed) =>
    [...burstsOf(new Random(seed))].flatMap(([arrival, sends]) =>
      sends.flatMap(({ source, ticks }) => ticks.map((tick) => isLate({ ...tick, arrival, source }, 0))),
    ),
  );
  expect(margins.filter((late) => late).length).toBeGreaterThan(100);
  expect(margins.filter((late) => !late).length).toBeGreaterThan(1_000);
});
