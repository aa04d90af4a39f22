/** The article's exercises in memory: what each of them counts and writes, also when everything goes wrong on the way. */
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Event, Job, Plan } from "../../src/index.ts";
import { JobStarter, MemoryFiles, readFiles } from "../../src/index.ts";
import type { TestDriverOptions } from "../../src/testing/index.ts";
import { TestDriver } from "../../src/testing/index.ts";
import type { Click } from "../../workers/jobs/clickstream/click-event.ts";
import { slowJob } from "../../workers/jobs/exercises/6-slow-operator.ts";
import type { Exercise } from "../../workers/jobs/exercises/index.ts";
import { exercises } from "../../workers/jobs/exercises/index.ts";

function jobOf(name: string): Job {
  const exercise = exercises.get(name);
  if (exercise === undefined) throw new RangeError(`there is no exercise ${name}`);
  return exercise.job;
}

/** Nothing of it may show in any result. */
const trouble = { duplicates: true, shuffle: 7, restarts: true };

test("there are six, each a job of its own that Workers can run", () => {
  const names = ["exercise-1", "exercise-2", "exercise-3", "exercise-4", "exercise-5", "exercise-6"];
  expect([...exercises.keys()]).toEqual(names);
  for (const [name, { plan }] of exercises) {
    expect(plan.jobs.map(({ job }) => job)).toEqual([name]);
    expect([...plan.sources.keys()]).toEqual(["clicks"]);
  }
});

describe.each([
  ["without faults", {}],
  ["with duplicates, in disorder, and over restarts", trouble],
])("%s", (_, faults) => {
  const driverOf = (job: Job, options: TestDriverOptions = {}) => new TestDriver(job, { faults, ...options });

  test("1 counts only products", async () => {
    const driver = driverOf(jobOf("exercise-1"));
    await driver.send("clicks", "/home", "/products/lamp", "/products", "/products/chair", "/products/lamp");
    expect(driver.view("product-views").entries()).toEqual([
      { key: "/products/chair", value: 1 },
      { key: "/products/lamp", value: 2 },
    ]);
  });

  test("2 counts each minute for itself, by when a click came or says that it happened", async () => {
    const driver = driverOf(jobOf("exercise-2"), { start: "2026-01-31T12:00:30Z" });
    await driver.send("clicks", "/home", "/home", "/about");
    await driver.advance("29.999 seconds");
    await driver.send("clicks", "/home");
    await driver.advance(1);
    await driver.send("clicks", "/home", { url: "/home", time: "2026-01-31T13:00:59.999+01:00" });
    const views = driver.view("views-per-minute");
    expect(views.entries("2026-01-31T12:00 ")).toEqual([
      { key: "2026-01-31T12:00 /about", value: 1 },
      { key: "2026-01-31T12:00 /home", value: 4 },
    ]);
    expect(views.entries("2026-01-31T12:01 ")).toEqual([{ key: "2026-01-31T12:01 /home", value: 1 }]);
    expect(views.totals().total).toBe(6);
  });

  test("3 counts both sources, each click of either once", async () => {
    const driver = driverOf(jobOf("exercise-3"));
    const robots = driver.output<Click>("robots");
    await driver.send("clicks", "/home", "/typed");
    await driver.advance("10 seconds");
    await driver.send("clicks", "/home");
    await driver.advance("20 seconds");
    const expected = new Map([
      ["/home", 2],
      ["/typed", 1],
    ]);
    const made = robots.read();
    // Four a second, and the first of them at once.
    expect(made.length).toBe(121);
    for (const { data } of made) expected.set(data.url, (expected.get(data.url) ?? 0) + 1);
    const counts = driver.view("page-views").entries();
    expect(new Map(counts.map(({ key, value }) => [key, value]))).toEqual(expected);
    expect(counts).toHaveLength(5);
  });

  test("4 counts each click, and has it in its files once", async () => {
    const files = new MemoryFiles();
    const driver = driverOf(jobOf("exercise-4"), { sinks: "write", env: { FILES: files } });
    const urls = Array.from({ length: 50 }, (_, n) => `/page-${n % 7}`);
    await driver.send("clicks", ...urls.slice(0, 20));
    await driver.advance("6 seconds");
    await driver.send("clicks", ...urls.slice(20));
    await driver.advance("6 seconds");
    const events: Event<Click>[] = [];
    for await (const event of readFiles<Click>(files, "click-log/")) events.push(event);
    expect(events.map(({ data }) => data.url).sort()).toEqual([...urls].sort());
    expect(new Set(events.map(({ id }) => id)).size).toBe(50);
    const names = (await files.list()).objects.map(({ key }) => key);
    expect(names).toEqual([1, 2].map((n) => `click-log/2026/01/01/00/0-000000000${n}.ndjson.gz`));
    expect(driver.view("page-views").get("/page-0")).toBe(8);
    expect(driver.view("page-views").totals()).toEqual({ keys: 7, total: 50, overflow: 0 });
  });

  test("5 goes on counting after a restart", async () => {
    const driver = driverOf(jobOf("exercise-5"));
    await driver.send("clicks", "/home", "/home", "/about");
    await driver.restart();
    expect(driver.view("page-views").get("/home")).toBe(2);
    await driver.send("clicks", "/home");
    expect(driver.view("page-views").top(2)).toEqual([
      { key: "/home", value: 3 },
      { key: "/about", value: 1 },
    ]);
  });

  test("6 counts what its slow operator is done with", async () => {
    const driver = driverOf(slowJob(1));
    const urls = Array.from({ length: 30 }, (_, n) => `/page-${n % 3}`);
    await driver.send("clicks", ...urls);
    expect(driver.view("page-views").entries()).toEqual(
      ["/page-0", "/page-1", "/page-2"].map((key) => ({ key, value: 10 })),
    );
    expect(driver.stats("slow").flows.clicks).toMatchObject({ applied: 30, dead: 0 });
  });
});

/** What runs for each click in the slow stage of a job. */
function slowStage(plan: Plan) {
  const slow = plan.operators.get("slow");
  if (slow?.kind !== "stage") throw new Error("exercise 6 has no stage");
  return slow;
}

test("6 works on one click at a time", async () => {
  const starter = new JobStarter(slowJob(5));
  const { stage } = slowStage(starter.plan);
  const { apply } = stage;
  let atWork = 0;
  let most = 0;
  stage.apply = async (...given) => {
    most = Math.max(most, ++atWork);
    await Reflect.apply(apply, stage, given);
    atWork--;
  };
  await starter.run({ clicks: ["/a", "/b", "/c", "/a"] });
  expect(most).toBe(1);
  expect(starter.view("page-views").top(1)).toEqual([{ key: "/a", value: 2 }]);
});

test("6 takes five seconds for a click, as it is shipped, and lets twenty messages wait", async () => {
  const { stage, highWater } = slowStage((exercises.get("exercise-6") as Exercise).plan);
  expect(highWater).toBe(20);
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const emitted: unknown[] = [];
  const collector = { emit: (data: unknown) => void emitted.push(data), emitTo: () => {} };
  const event = { id: "1", time: 0, data: { url: "/home" } };
  const done = stage.apply(event, collector, { operator: "slow" });
  await vi.advanceTimersByTimeAsync(4_999);
  expect(emitted).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  await done;
  expect(emitted).toEqual([{ url: "/home" }]);
});
