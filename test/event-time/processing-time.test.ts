/** Windows in processing time: by the clock at which a shard commits; nobody has to say how far anything has come. */
import { expect, test } from "vitest";
import type { SourceCollector, WindowResult } from "../../src/index.ts";
import {
  afterCount,
  count,
  every,
  globalWindow,
  hopping,
  Job,
  Source,
  session,
  tumbling,
  type WindowAssigner,
  type WindowOptions,
} from "../../src/index.ts";
import { TestDriver } from "../../src/testing/index.ts";

class Keys extends Source<string> {
  getEvents(input: unknown, collector: SourceCollector<string>): void {
    // Long ago, in event time: that decides nothing here.
    collector.emit(String(input), { time: 5 });
  }
}

const START = 1_000_000;
const processing = { time: "processing" } as const;

/** Sends keys (`a`) and moves the clock (`+500`); what each step shows, with the time since the start. */
async function play(
  assigner: WindowAssigner<string>,
  steps: string,
  options: WindowOptions = {},
  shards = 4,
) {
  const job = new Job("job");
  const counts = job
    .addSource(new Keys("keys"))
    .keyBy((key) => key)
    .window(assigner, options)
    .aggregate("counts", count());
  const driver = new TestDriver(job, { start: START, shards, faults: { restarts: true, duplicates: true } });
  const output = driver.output(counts);
  const show = ({ key, value, window: { start, end }, pane }: WindowResult<number>) =>
    `${key}=${value} [${start - START},${end - START}) ${pane.timing}`;
  const heard: string[][] = [];
  for (const step of steps.split(" ")) {
    if (step.startsWith("+")) await driver.advance(Number(step));
    else await driver.send("keys", step);
    const given = output.read();
    if (given.length > 0) heard.push([step, ...given.map(({ data }) => show(data))]);
    for (const { data, time } of given) expect(time).toBe(data.window.end - 1);
  }
  return { heard, driver };
}

test.each([1, 4, 16])("tumbling: a window shows when its end has come (%i shards)", async (shards) => {
  const { heard, driver } = await play(
    tumbling(1_000, processing),
    "a b +500 a +499 a +1 b +999 a +1",
    {},
    shards,
  );
  expect(heard).toEqual([
    ["+1", "a=3 [0,1000) on-time", "b=1 [0,1000) on-time"],
    ["+1", "a=1 [1000,2000) on-time", "b=1 [1000,2000) on-time"],
  ]);
  expect(driver.stats("counts").flows.keys).toMatchObject({ applied: 6, late: 0 });
});

test("hopping: an event counts in each of its windows", async () => {
  const { heard } = await play(hopping(1_000, 500, processing), "a +500 a +500 +500");
  expect(heard).toEqual([
    ["+500", "a=1 [-500,500) on-time"],
    ["+500", "a=2 [0,1000) on-time"],
    ["+500", "a=1 [500,1500) on-time"],
  ]);
});

test("sessions: a key that is quiet for the gap is shown", async () => {
  const { heard } = await play(session(1_000, processing), "a b +600 a +400 +599 b +1 +1000");
  expect(heard).toEqual([
    ["+400", "b=1 [0,1000) on-time"],
    ["+1", "a=2 [0,1600) on-time"],
    ["+1000", "b=1 [1599,2599) on-time"],
  ]);
});

test("the global window has no end: what shows it is a trigger", async () => {
  const counted = await play(globalWindow(processing), "a a a b a +1000", { early: afterCount(2) });
  expect(counted.heard.map((row) => row.map((text) => text.replace(/ \[.*\)/, "")))).toEqual([
    ["a", "a=2 early"],
    ["a", "a=4 early"],
  ]);
  const timed = await play(globalWindow(processing), "a +900 a +100 +5000 a +1000", {
    early: every("1 second"),
    panes: "discarding",
  });
  expect(timed.heard.map((row) => row.map((text) => text.replace(/ \[.*\)/, "")))).toEqual([
    ["+100", "a=2 early"],
    ["+1000", "a=1 early"],
  ]);
});

test("the view keeps a window for its retention", async () => {
  const { driver } = await play(tumbling(1_000, processing), "a +1000", { retention: "1 minute" });
  await driver.advance(59_999);
  expect(driver.view("counts").windows().length).toBe(1);
  await driver.advance(1);
  expect(driver.view("counts").windows()).toEqual([]);
});
