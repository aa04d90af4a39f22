/** JobStarter: runs a job in memory to its end, whatever its inputs, its operators and its queue are like. */
import { describe, expect, test } from "vitest";
import type { Collector, Event, OperatorContext } from "../../src/index.ts";
import { average, count, Job, JobStarter, Operator, PlanError, sum, VirtualClock } from "../../src/index.ts";
import { Records } from "./support.ts";

interface Item {
  readonly key: string;
  readonly value?: number;
}

function itemJob(): Job {
  const job = new Job("job");
  const items = job.addSource(new Records<Item>("items"));
  items.keyBy(({ key }) => key).aggregate("counts", count());
  items
    .filter(({ value }) => value !== undefined)
    .keyBy(({ key }) => key)
    .aggregate(
      "sums",
      sum(({ value }: Item) => value ?? 0),
    );
  items
    .keyBy(({ key }) => key)
    .aggregate(
      "averages",
      average(({ value }: Item) => value ?? Number.NaN),
    );
  return job;
}

const ITEMS: readonly Item[] = Array.from({ length: 300 }, (_, n) => ({
  key: `k${n % 7}`,
  ...(n % 3 === 0 ? {} : { value: n }),
}));

function expected(): { counts: Map<string, number>; sums: Map<string, number> } {
  const counts = new Map<string, number>();
  const sums = new Map<string, number>();
  for (const { key, value } of ITEMS) {
    counts.set(key, (counts.get(key) ?? 0) + 1);
    if (value !== undefined) sums.set(key, (sums.get(key) ?? 0) + value);
  }
  return { counts, sums };
}

async function* slowly<T>(items: Iterable<T>): AsyncIterable<T> {
  for (const item of items) {
    await new Promise((resolve) => setImmediate(resolve));
    yield item;
  }
}

test.each([
  ["at ease", {}, ITEMS],
  ["with room for one message", { queueCapacity: 1, batchSize: 1 }, ITEMS],
  ["with room for none", { queueCapacity: 0 }, ITEMS],
  ["from an asynchronous input", {}, slowly(ITEMS)],
  ["from an asynchronous input with room for one message", { queueCapacity: 1, batchSize: 1 }, slowly(ITEMS)],
] as const)("counts everything, %s", async (_how, options, input) => {
  const starter = new JobStarter(itemJob(), options);
  await starter.run({ items: input });
  const { counts, sums } = expected();
  for (const [key, value] of counts) expect(starter.view("counts").get(key)).toBe(value);
  for (const [key, value] of sums) expect(starter.view("sums").get(key)).toBe(value);
  expect(starter.view("counts").totals()).toEqual({ keys: 7, total: 300, overflow: 0 });
  expect(
    starter
      .view("counts")
      .entries("k")
      .map(({ key }) => key),
  ).toEqual(["k0", "k1", "k2", "k3", "k4", "k5", "k6"]);
  expect(starter.view("counts").top(2)).toEqual([
    { key: "k0", value: 43 },
    { key: "k1", value: 43 },
  ]);
  // An average of what has no value is dead, event by event.
  expect(starter.deadLetters().length).toBe(100);
  expect(
    starter
      .view("averages")
      .deadLetters()
      .every(({ operator, n }) => operator === "averages" && n === 1),
  ).toBe(true);
});

test("no inputs, empty inputs and inputs that run again", async () => {
  const starter = new JobStarter(itemJob());
  await starter.run({});
  await starter.run({ items: [] });
  expect(starter.view("counts").totals()).toEqual({ keys: 0, total: 0, overflow: 0 });
  expect(starter.view("counts").get("k")).toBeUndefined();
  await starter.run({ items: [{ key: "k" }] });
  await starter.run({ items: [{ key: "k" }] });
  expect(starter.view("counts").get("k")).toBe(2);
});

test("two runs at once both end, with everything counted", async () => {
  const starter = new JobStarter(itemJob(), { queueCapacity: 2, batchSize: 1 });
  await Promise.all([starter.run({ items: ITEMS }), starter.run({ items: slowly(ITEMS) }), starter.run({})]);
  expect(starter.view("counts").totals().total).toBe(600);
});

test("records that are not valid are told, with their place, and their neighbours proceed", async () => {
  const rejected: unknown[] = [];
  const job = new Job("job");
  job
    .addSource(new Records<Item>("items"))
    .keyBy(({ key }) => key)
    .aggregate("counts", count());
  const starter = new JobStarter(job, {
    onRejected: (source, { index, error }) => rejected.push([source, index, error.slice(0, 4)]),
  });
  await starter.run({ items: [{ key: "a" }, { key: "x".repeat(3_000) }, { key: "a" }] });
  expect(rejected).toEqual([["items", 1, "key:"]]);
  expect(starter.view("counts").get("a")).toBe(2);
});

test("an input that fails ends the run with its error, after what came before was applied", async () => {
  const starter = new JobStarter(itemJob());
  function* failing() {
    yield { key: "a" };
    throw new Error("the input failed");
  }
  await expect(starter.run({ items: failing() })).rejects.toThrow("the input failed");
  expect(starter.view("counts").get("a")).toBe(1);
  await expect(starter.run({ nobody: [] })).rejects.toThrow('no source "nobody"');
});

test("a view that there is not is an error that lists those that there are", () => {
  const starter = new JobStarter(itemJob());
  expect(() => starter.view("nothing")).toThrow(PlanError);
  expect(() => starter.view("nothing")).toThrow(/counts, sums, averages/);
});

test("event time is the clock's, unless the source says otherwise", async () => {
  const times: number[] = [];
  class Times extends Operator<Item> {
    apply({ time }: Event<Item>): void {
      times.push(time);
    }
  }
  const job = new Job("job");
  job.addSource(new Records<Item>("items")).applyOperator(new Times("times"));
  await new JobStarter(job, { clock: new VirtualClock(42) }).run({ items: [{ key: "a" }] });
  expect(times).toEqual([42]);
});

describe("an operator with a map of its own", () => {
  class Collecting extends Operator<Item> {
    readonly seen: [key: string | undefined, operator: string][] = [];
    readonly ids = new Set<string>();
    apply({ data, key, id }: Event<Item>, _collector: Collector<never>, context: OperatorContext): void {
      if (data.key === "bad") throw new Error("bad item");
      expect(context.key).toBe(key);
      this.seen.push([key, context.operator]);
      this.ids.add(id);
    }
  }

  test("sees each event once, in order, with its key behind keyBy", async () => {
    const collecting = new Collecting("collecting");
    const job = new Job("job");
    job
      .addSource(new Records<Item>("items"))
      .keyBy(({ key }) => key)
      .applyOperator(collecting);
    await new JobStarter(job, { queueCapacity: 1 }).run({ items: ["b", "a", "b"].map((key) => ({ key })) });
    expect(collecting.seen).toEqual([
      ["b", "collecting"],
      ["a", "collecting"],
      ["b", "collecting"],
    ]);
    expect(collecting.ids.size).toBe(3);
  });

  test("that throws on an event ends nothing: it is a dead letter, and no event is seen twice", {
    timeout: 5_000,
  }, async () => {
    const collecting = new Collecting("collecting");
    const job = new Job("job");
    const items = job.addSource(new Records<Item>("items"));
    items.applyOperator(collecting);
    items.keyBy(({ key }) => key).aggregate("counts", count());
    const starter = new JobStarter(job);
    await starter.run({ items: ["a", "bad", "b"].map((key) => ({ key })) });
    expect(collecting.seen.length).toBe(2);
    expect(starter.view("counts").totals().total).toBe(3);
    expect(
      starter
        .deadLetters()
        .map(({ source, operator, error, n, event }) => [source, operator, error, n, event?.data]),
    ).toEqual([["items", "collecting", "bad item", 1, { key: "bad" }]]);
  });

  test("behind a step that throws: that is its dead letter too", async () => {
    const collecting = new Collecting("collecting");
    const job = new Job("job");
    job
      .addSource(new Records<Item>("items"))
      .map((item) => {
        if (item.key === "b") throw new Error("no b");
        return item;
      }, "picky")
      .applyOperator(collecting);
    const starter = new JobStarter(job);
    await starter.run({ items: ["a", "b"].map((key) => ({ key })) });
    expect(starter.deadLetters().map(({ operator, error }) => [operator, error])).toEqual([
      ["picky", "no b"],
    ]);
  });
});
