/** Windows wherever they stand in a graph: behind a stage, a process function, a union, another window, a pull source. */
import { describe, expect, test } from "vitest";
import type {
  Collector,
  Event,
  KeyedStream,
  ProcessContext,
  PullRequest,
  SourceCollector,
  Stream,
} from "../../src/index.ts";
import { count, Job, ProcessFunction, PullSource, Source, stage, sum, tumbling } from "../../src/index.ts";
import { TestDriver } from "../../src/testing/index.ts";
import type { Element } from "../operators/steps.ts";
import { WAYS } from "../operators/steps.ts";
import { Random } from "../simulation/random.ts";

class Elements extends Source<Element> {
  getEvents(input: unknown, collector: SourceCollector<Element>): void {
    const element = input as Element;
    collector.emit(element, { time: element.time });
  }
}

/** Passes everything on, as state. */
class Remember extends ProcessFunction<Element, Element> {
  apply({ data }: Event<Element>, collector: Collector<Element>, { state }: ProcessContext): void {
    state.list<string>("names").add(data.name);
    collector.emit(data);
  }
}

const START = 1_000_000;
const keyed = (stream: Stream<Element>) => stream.keyBy(({ key }) => key);
const passing = (name: string) =>
  stage({
    name,
    async apply({ data }: Event<Element>, collector: Collector<Element>) {
      collector.emit(data);
    },
  });

const SHAPES: Record<string, (from: Stream<Element>, other: Stream<Element>) => KeyedStream<Element>> = {
  "a source": (from, other) => keyed(from.union(other)),
  "a stage": (from, other) => keyed(from.union(other).applyOperator(passing("look-up"))),
  "two stages in a row": (from, other) =>
    keyed(from.union(other).applyOperator(passing("first")).applyOperator(passing("second"))),
  "a process function": (from, other) =>
    keyed(keyed(from.union(other)).applyOperator(new Remember("memory"))),
  "a union of a source and a stage": (from, other) =>
    keyed(from.union(other.applyOperator(passing("look-up")))),
  "a union of a process function and a stage": (from, other) =>
    keyed(
      keyed(from)
        .applyOperator(new Remember("memory"))
        .union(other.applyOperator(passing("look-up"))),
    ),
};

describe.each(Object.entries(SHAPES))("behind %s", (_, shape) => {
  const jobOf = (watermarks: "explicit" | "arrival") => {
    const job = new Job("job");
    const source = (name: string, outOfOrderness: number) =>
      job.addSource(new Elements(name, { watermarks, outOfOrderness }));
    const counts = shape(source("left", 100), source("right", 300))
      .window(tumbling(1_000))
      .aggregate("counts", count());
    const totals = counts
      .keyBy(() => "all")
      .window(tumbling(1_000))
      .aggregate(
        "totals",
        sum(({ value }) => value),
      );
    return { job, counts, totals };
  };

  test.each(WAYS)("stated watermarks, %s", async (_way, options) => {
    const { job, counts, totals } = jobOf("explicit");
    const driver = new TestDriver(job, { ...options, watermarks: "explicit" });
    const outputs = {
      counts: driver.output(counts),
      late: driver.output(counts.late),
      totals: driver.output(totals),
    };
    const heard = () => [
      ...outputs.counts.read().map(({ time, data }) => `${data.key}=${data.value}@${time}`),
      ...outputs.totals.read().map(({ time, data }) => `total ${data.value}@${time} ${data.pane.timing}`),
      ...outputs.late.read().map(({ data }) => `late ${data.name}`),
    ];
    const send = (source: string, key: string, time: number, name = "e") =>
      driver.send(source, { key, name, time });
    await send("left", "a", 5);
    await send("right", "b", 999);
    await send("right", "a", 1_000);
    await driver.watermark(1_999, "left");
    // The other source may still bring something.
    expect(heard()).toEqual([]);
    await driver.watermark(999, "right");
    expect(heard()).toEqual(["a=1@999", "b=1@999", "total 2@999 on-time"]);
    await send("left", "a", 500, "x");
    expect(heard()).toEqual(["late x"]);
    await send("left", "a", 1_001);
    await driver.watermark("end");
    expect(heard()).toEqual(["a=2@1999", "total 2@1999 on-time"]);
  });

  test.each([...Array(6).keys()])(
    "by arrival, whatever the queues do: nothing on time is late (seed %i)",
    async (seed) => {
      const random = new Random(seed);
      const { job, counts, totals } = jobOf("arrival");
      const faults = { shuffle: seed, duplicates: true, restarts: seed % 2 === 0 };
      const driver = new TestDriver(job, { start: START, shards: 1 + (seed % 3), faults });
      const late = driver.output(counts.late);
      const totalled = driver.output(totals);
      const sent: Element[] = [];
      for (let n = 0; n < 8; n++) {
        const side = random.pick(["left", "right"]);
        const burst = Array.from({ length: random.int(1, 6) }, (__, at): Element => {
          const time = driver.now - random.int(0, side === "left" ? 100 : 300);
          return { key: random.pick(["a", "b", "c"]), name: `${n}.${at}`, time };
        });
        await driver.send(side, ...burst);
        sent.push(...burst);
        await driver.advance(random.pick([1, 100, 700, 1_500]));
      }
      await driver.advance("1 minute");
      expect(late.read()).toEqual([]);
      const expected: Record<string, number> = {};
      for (const { key, time } of sent) {
        const window = `${time - (time % 1_000)} ${key}`;
        expected[window] = (expected[window] ?? 0) + 1;
      }
      const windows = driver.view("counts").windows();
      expect(
        Object.fromEntries(windows.map(({ key, window, value }) => [`${window.start} ${key}`, value])),
      ).toEqual(expected);
      expect(windows.every(({ final }) => final)).toBe(true);
      // The window behind the window has each of its results, on time, once.
      const sums = totalled.read().map(({ data }) => data);
      expect(sums.reduce((all, { value }) => all + value, 0)).toBe(sent.length);
      expect(sums.every(({ pane }) => pane.timing === "on-time" && pane.index === 0)).toBe(true);
      expect(driver.failures).toEqual([]);
    },
  );
});

/** One event a millisecond, ten at a time, each group backwards. */
class Generator extends PullSource<number, number> {
  getEvents({ offset = 0, now }: PullRequest<number>) {
    const events = Array.from({ length: 10 }, (_, n) => offset + 9 - n).map((data) => ({ data, time: data }));
    return offset < 100 ? { events, offset: offset + 10, next: now + 5 } : { events: [], offset };
  }
}

test.each([1, 4, 16])("behind a pull source the watermark follows its events (%i shards)", async (shards) => {
  const job = new Job("job");
  const counts = job
    .addSource(new Generator("generator", { outOfOrderness: 10 }))
    .keyBy((n) => (n % 2 === 0 ? "even" : "odd"))
    .window(tumbling(20))
    .aggregate("counts", count());
  const driver = new TestDriver(job, { shards, faults: { restarts: true, duplicates: true } });
  const output = driver.output(counts);
  const late = driver.output(counts.late);
  await driver.advance("1 minute");
  const rows = output.read().map(({ time, data }) => `${data.key} ${data.value}@${time}`);
  // Event 99 is the last; what is less than ten behind it may be followed by more.
  expect(rows).toEqual(["even", "odd"].flatMap((key) => [19, 39, 59, 79].map((end) => `${key} 10@${end}`)));
  expect(late.read()).toEqual([]);
});
