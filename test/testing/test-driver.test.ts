/** TestDriver: each kind of operator, fed by hand on a virtual clock. */
import { describe, expect, test, vi } from "vitest";
import { count, Job, JobStarter, Operator, RejectedBatchError, sum } from "../../src/index.ts";
import { RejectedRecordsError, TestDriver } from "../../src/testing/index.ts";
import { clickstream } from "../../workers/jobs/clickstream/clickstream-job.ts";
import { Clicks, histogramJob, Lines, Numbers, ordersJob, titlesJob, visitsJob } from "./jobs.ts";

vi.setConfig({ testTimeout: 60_000 });

const MINUTE = 60_000;
const START = Date.UTC(2026, 0, 1);

test("the article's clickstream counts pages", async () => {
  const before = JSON.stringify(clickstream.describe());
  const driver = new TestDriver(clickstream);
  const clicks = driver.output<{ url: string }>("clicks");
  await driver.send("clicks", "/home", { url: "/about", time: "2026-01-01T00:30:00Z" });
  await driver.advance("1 minute");
  await driver.send("clicks", "/home");
  const views = driver.view("page-views");
  expect(views.get("/home")).toBe(2);
  expect(views.top(1)).toEqual([{ key: "/home", value: 2 }]);
  expect(views.entries()).toEqual([
    { key: "/about", value: 1 },
    { key: "/home", value: 2 },
  ]);
  expect(views.totals()).toEqual({ keys: 2, total: 3, overflow: 0 });
  expect(clicks.read()).toEqual([
    { time: START, data: { url: "/home" } },
    { time: START + 30 * MINUTE, data: { url: "/about" } },
    { time: START + MINUTE, data: { url: "/home" } },
  ]);
  expect(clicks.read()).toEqual([]);
  expect(driver.stats("page-views").flows).toEqual({
    clicks: { applied: 3, late: 0, dead: 0, duplicates: 0 },
  });
  expect(JSON.stringify(clickstream.describe())).toBe(before);
});

test("state, ttl and timers of a process function go by the virtual clock", async () => {
  const { job, visits, suspicious } = visitsJob();
  const driver = new TestDriver(job, { start: "2026-06-01T08:00:00+02:00" });
  const [out, side] = [driver.output(visits), driver.output(suspicious)];
  const start = Date.UTC(2026, 5, 1, 6);
  expect(driver.now).toBe(start);
  await driver.send("clicks", { url: "/home", user: "ann" });
  await driver.advance("10 minutes");
  await driver.send("clicks", { url: "/admin", user: "ann" }, { url: "/home", user: "bob" });
  expect(out.read()).toEqual([
    { time: start, data: "ann comes, known pages: 0" },
    { time: start + 10 * MINUTE, data: "bob comes, known pages: 0" },
  ]);
  expect(side.read()).toEqual([{ time: start + 10 * MINUTE, data: "ann at /admin" }]);

  await driver.advance(30 * MINUTE - 1);
  expect(out.read()).toEqual([]);
  await driver.advance(1);
  expect(out.read()).toEqual([
    { time: start + 40 * MINUTE, data: "ann left after 2 pages" },
    { time: start + 40 * MINUTE, data: "bob left after 1 pages" },
  ]);

  await driver.advanceTo("2026-06-01T08:50:00+02:00");
  await driver.send("clicks", { url: "/home", user: "ann" });
  // Her pages were last written ten minutes after the start, and then now.
  await driver.advance("3 hours");
  expect(driver.view("visits").entries()).toEqual([]);
  await driver.send("clicks", { url: "/home", user: "ann" });
  expect(out.read().map(({ data }) => data)).toEqual([
    "ann comes, known pages: 2",
    "ann left after 3 pages",
    "ann comes, known pages: 0",
  ]);
});

test("side outputs and keyed streams are heard by name, too", async () => {
  const job = new Job("streams");
  const byUser = job.addSource(new Clicks("clicks")).keyBy((click) => click.user ?? "nobody");
  byUser.aggregate("clicks-by-user", count());
  const driver = new TestDriver(job);
  const [keyed, named] = [driver.output(byUser), driver.output("clicks.key-by")];
  await driver.send("clicks", { url: "/home", user: "ann" });
  const row = { time: START, key: "ann", data: { url: "/home", user: "ann" } };
  expect([keyed.read(), named.read()]).toEqual([[row], [row]]);

  const { job: visits } = visitsJob();
  const other = new TestDriver(visits);
  const side = other.output("visits", "suspicious");
  await other.send("clicks", { url: "/admin", user: "eve" });
  expect(side.read()).toEqual([{ time: START, data: "eve at /admin" }]);
});

test("enrich sees what came before", async () => {
  const { job, named } = ordersJob();
  const driver = new TestDriver(job);
  const out = driver.output(named);
  await driver.send("orders", { customer: "c1", amount: 1 });
  for (let n = 0; n < 12; n++) await driver.send("customers", { id: "c1", name: `Ann ${n}` });
  await driver.send("orders", { customer: "c1", amount: 2 }, { customer: "c2", amount: 3 });
  expect(out.read().map(({ data }) => data)).toEqual(["somebody: 1", "Ann 11: 2", "somebody: 3"]);
});

test("an aggregate behind an aggregate gets each change", async () => {
  const { job, counts, histogram } = histogramJob();
  const driver = new TestDriver(job);
  const [changes, buckets] = [driver.output(counts), driver.output(histogram)];
  await driver.send("clicks", "/a", "/b", "/a");
  expect(driver.view("pages-by-views").entries()).toEqual([
    { key: "1", value: 1 },
    { key: "2", value: 1 },
  ]);
  expect(changes.read().map(({ data }) => data)).toEqual([
    { key: "/a", value: 1 },
    { key: "/b", value: 1 },
    { key: "/a", value: 2, previous: 1 },
  ]);
  expect(buckets.read().map(({ data }) => data)).toEqual([
    { key: "1", value: 1 },
    { key: "1", value: 2, previous: 1 },
    { key: "1", value: 1, previous: 2 },
    { key: "2", value: 1 },
  ]);
});

describe("stages", () => {
  test("are waited for, and tried again", async () => {
    let calls = 0;
    const { job, titles } = titlesJob(async (url) => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (++calls === 2) throw new Error("503");
      return url.toUpperCase();
    });
    const driver = new TestDriver(job);
    const out = driver.output(titles);
    await driver.send("clicks", "/a", "/b");
    expect(out.read()).toEqual([
      { time: START, data: "/A" },
      { time: START, data: "/B" },
    ]);
    expect(calls).toBe(3);
    expect(driver.now).toBe(START);
    expect(driver.view("titles").entries()).toHaveLength(2);
  });

  test("give dead letters in the end, which can be sent again", async () => {
    let down = true;
    const { job } = titlesJob((url) => {
      if (down && url === "/b") throw new Error("down");
      return url;
    });
    const driver = new TestDriver(job);
    await driver.send("clicks", "/a", "/b");
    expect(driver.deadLetters()).toMatchObject([
      { at: "look-up", source: "clicks", operator: "look-up", error: "down", event: { data: { url: "/b" } } },
    ]);
    down = false;
    expect(await driver.redrive()).toBe(1);
    expect(driver.deadLetters()).toEqual([]);
    expect(driver.view("titles").entries()).toEqual([
      { key: "/a", value: 1 },
      { key: "/b", value: 1 },
    ]);
  });
});

describe("sinks", () => {
  function sinkJob(options: ConstructorParameters<typeof Lines>[1]) {
    const job = new Job("lines");
    const lines = new Lines<{ url: string }>("lines", options);
    job.addSource(new Clicks("clicks")).addSink(lines);
    return { job, lines };
  }
  const urls = (batches: readonly { events: readonly { data: unknown }[] }[]) =>
    batches.map(({ events }) => events.map(({ data }) => (data as { url: string }).url));

  test("write nothing, but their batches can be read: by count and by time", async () => {
    const { job, lines } = sinkJob({ batchEvents: 2, batchTime: "1 minute" });
    const driver = new TestDriver(job);
    const sink = driver.sink("lines");
    await driver.send("clicks", "/a", "/b", "/c");
    expect(urls(sink.read())).toEqual([["/a", "/b"]]);
    expect(driver.backlog().sinks).toEqual({ lines: 1 });
    await driver.advance(MINUTE - 1);
    expect(sink.read()).toEqual([]);
    await driver.advance(1);
    expect(sink.read()).toMatchObject([{ id: "lines/0/2", opened: START, number: 2 }]);
    expect(sink.batches).toHaveLength(2);
    expect(lines.written).toEqual([]);
  });

  test("by the hour", async () => {
    const { job } = sinkJob({ batchTime: "1 day", hourly: true });
    const driver = new TestDriver(job, { start: START + 50 * MINUTE });
    await driver.send("clicks", "/a");
    await driver.advance("5 minutes");
    await driver.send("clicks", "/b");
    await driver.advance("4 minutes");
    expect(driver.sink("lines").batches).toEqual([]);
    await driver.advance("1 minute");
    await driver.send("clicks", "/c");
    await driver.advance("1 hour");
    expect(urls(driver.sink("lines").batches)).toEqual([["/a", "/b"], ["/c"]]);
  });

  test("write for real when they are told to, and are tried again", async () => {
    const { job, lines } = sinkJob({});
    const driver = new TestDriver(job, { sinks: "write" });
    await driver.send("clicks", "/a");
    expect(urls(lines.written)).toEqual([["/a"]]);

    const times: number[] = [];
    const flaky = new TestDriver(job, {
      env: { TOKEN: "t" },
      sinks: {
        lines: ({ events }, { env }) => {
          times.push(flaky.now - START);
          if (times.length < 3) throw new Error("503");
          if (events.length !== 1 || env.TOKEN !== "t") throw new Error("wrong");
        },
      },
    });
    await flaky.send("clicks", "/b");
    expect(flaky.backlog().sinks).toEqual({ lines: 1 });
    await flaky.advance("1 minute");
    expect(times).toEqual([0, 1000, 3000]);
    expect(urls(flaky.sink("lines").batches)).toEqual([["/b"]]);
    expect(flaky.failures).toMatchObject([
      { time: START, about: "lines/0: sink", error: new Error("503") },
      { time: START + 1000 },
    ]);
  });

  test("that reject a batch give dead letters", async () => {
    const { job } = sinkJob({});
    const driver = new TestDriver(job, {
      sinks: {
        lines: () => {
          throw new RejectedBatchError("400");
        },
      },
    });
    await driver.send("clicks", "/a");
    expect(driver.deadLetters()).toMatchObject([
      { at: "lines", error: "400", event: { data: { url: "/a" } } },
    ]);
    expect(driver.sink("lines").batches).toEqual([]);
  });
});

describe("pull sources", () => {
  test("are asked as the clock advances", async () => {
    const job = new Job("numbers");
    const numbers = job.addSource(new Numbers("numbers"));
    numbers
      .keyBy((n) => (n % 2 === 0 ? "even" : "odd"))
      .aggregate(
        "sums",
        sum((n) => n),
      );
    const driver = new TestDriver(job);
    const out = driver.output(numbers);
    await driver.advance(0);
    expect(out.read().map(({ data }) => data)).toEqual([1, 2, 3]);
    await driver.advance("25 seconds");
    expect(out.read()).toEqual([
      ...[4, 5, 6].map((data) => ({ time: START + 10_000, data })),
      ...[7, 8, 9].map((data) => ({ time: START + 20_000, data })),
    ]);
    expect(driver.view("sums").entries()).toEqual([
      { key: "even", value: 20 },
      { key: "odd", value: 25 },
    ]);
    await expect(driver.send("numbers", 1)).rejects.toThrow(/pull source/);
  });

  test("that always have more are found out", async () => {
    class Endless extends Numbers {
      override getEvents({ now }: { now: number }) {
        return { events: [], offset: 0, next: now };
      }
    }
    const job = new Job("endless");
    job.addSource(new Endless("endless")).keyBy(String).aggregate("n", count());
    await expect(new TestDriver(job).advance(0)).rejects.toThrow(/always more to do/);
  });
});

describe("what goes wrong", () => {
  function strictJob(onError: "fail" | "dead-letter") {
    const job = new Job("strict", { onError });
    const fixed = { now: false };
    const checked = job.addSource(new Clicks("clicks")).map((click) => {
      if (click.url === "/bad" && !fixed.now) throw new Error("bad page");
      return click;
    }, "check");
    checked.keyBy((click) => click.url).aggregate("views", count());
    return { job, checked, fixed };
  }

  test("a record that is not valid is thrown, its neighbours are taken", async () => {
    const driver = new TestDriver(clickstream);
    const sent = driver.send("clicks", "/a", { url: 5 }, "/b", {});
    await expect(sent).rejects.toThrow(RejectedRecordsError);
    await expect(sent).rejects.toMatchObject({ rejected: [{ index: 1 }, { index: 3 }] });
    await expect(driver.sendBatch("clicks", ["/c", {}])).rejects.toMatchObject({ rejected: [{ index: 1 }] });
    expect(driver.view("page-views").totals().total).toBe(3);
  });

  test("an event that an operator throws on is a dead letter, once for all who listen, and goes on when it is sent again", async () => {
    const { job, checked, fixed } = strictJob("dead-letter");
    const driver = new TestDriver(job);
    const out = driver.output(checked);
    await driver.send("clicks", "/good", "/bad");
    expect(driver.deadLetters()).toEqual([
      {
        at: "views",
        source: "clicks",
        operator: "check",
        error: "bad page",
        time: START,
        n: 1,
        event: { id: "clicks.00000001.0", time: START, data: { url: "/bad" } },
      },
    ]);
    expect(await driver.redrive()).toBe(1);
    expect(driver.deadLetters()).toHaveLength(1);
    fixed.now = true;
    expect(await driver.redrive(({ error }) => error === "another")).toBe(0);
    expect(await driver.redrive()).toBe(1);
    expect(driver.deadLetters()).toEqual([]);
    expect(out.read().map(({ data }) => data.url)).toEqual(["/good", "/bad"]);
    expect(driver.view("views").get("/bad")).toBe(1);
  });

  test("where only an output listens, its dead letter is listed", async () => {
    const job = new Job("heard");
    const stream = job.addSource(new Clicks("clicks")).map((): string => {
      throw new Error("always");
    }, "throw");
    const driver = new TestDriver(job);
    driver.output(stream);
    await driver.send("clicks", "/a");
    expect(driver.deadLetters()).toMatchObject([{ operator: "throw", error: "always" }]);
  });

  test("with the policy `fail`, send throws what an operator in front of the queue threw", async () => {
    const driver = new TestDriver(strictJob("fail").job);
    await expect(driver.send("clicks", "/bad", "/good")).rejects.toThrow("bad page");
    expect(driver.view("views").totals().total).toBe(1);
    expect(driver.deadLetters()).toEqual([]);
  });

  test("with the policy `fail`, send throws what an operator in a shard threw, and time what it throws again", async () => {
    const job = new Job("strict", { onError: "fail" });
    let broken = true;
    const checked = job
      .addSource(new Clicks("clicks"))
      .keyBy((click) => click.url)
      .aggregate("views", count())
      .map((change) => {
        if (broken && change.key === "/bad") throw new Error("bad page");
        return change;
      });
    checked.keyBy(({ key }) => key).aggregate("changes", count());
    const driver = new TestDriver(job);
    await expect(driver.send("clicks", "/bad")).rejects.toThrow(/views\/\d: .*bad page/);
    expect(driver.backlog().queues).toEqual({ clicks: 1 });
    await driver.send("clicks", "/good");
    await expect(driver.advance("1 minute")).rejects.toThrow("bad page");
    broken = false;
    await driver.advance("15 minutes");
    expect(driver.view("changes").entries()).toHaveLength(2);
    expect(driver.backlog().queues).toEqual({ clicks: 0 });
  });

  test("calls that make no sense say so", async () => {
    const { job, visits } = visitsJob();
    const driver = new TestDriver(job);
    expect(() => driver.output(visitsJob().visits)).toThrow(/another job/);
    expect(() => driver.output("nothing")).toThrow(/no stream "nothing"; there are: clicks, /);
    expect(() => new TestDriver(job, { start: "yesterday" })).toThrow(RangeError);
    await expect(driver.send("nothing", 1)).rejects.toThrow(/no source "nothing"; there are: clicks/);
    expect(() => driver.output(visits)).toThrow(/before anything else/);
    expect(() => driver.sink("visits")).toThrow(/no sink/);
    await expect(driver.advance(-1)).rejects.toThrow(RangeError);
    await expect(driver.advanceTo(START - 1)).rejects.toThrow(RangeError);
    const first = driver.advance(1);
    await expect(driver.advance(1)).rejects.toThrow(/await it first/);
    await first;
  });
});

test("operators that keep a map of their own run where they are allowed", async () => {
  class Counter extends Operator<{ url: string }> {
    counts = new Map<string, number>();

    apply({ data: { url } }: { data: { url: string } }) {
      if (url === "/bad") throw new Error("bad");
      this.counts.set(url, (this.counts.get(url) ?? 0) + 1);
    }
  }
  const counter = new Counter("counter");
  const job = new Job("plain");
  job
    .addSource(new Clicks("clicks"))
    .keyBy((click) => click.url)
    .applyOperator(counter);
  await expect(new TestDriver(job).send("clicks", "/a")).rejects.toThrow(/only JobStarter can run/);
  const driver = new TestDriver(job, { runtime: "memory" });
  await driver.send("clicks", "/a", "/a", "/bad");
  expect(counter.counts.get("/a")).toBe(2);
  expect(driver.deadLetters()).toMatchObject([{ at: "counter", error: "bad" }]);
  expect(await driver.redrive()).toBe(0);
  const faulty = new TestDriver(job, { runtime: "memory", faults: { duplicates: true } });
  await expect(faulty.send("clicks", "/a")).rejects.toThrow(/duplicates count twice/);
});

test("the job is left as it is: JobStarter runs it, sinks and all, after a driver did", async () => {
  const job = new Job("shared");
  const lines = new Lines<{ url: string }>("lines");
  job.addSource(new Clicks("clicks")).addSink(lines);
  const before = job.nodes.map(({ name, inputs }) => [name, inputs.length]);
  const driver = new TestDriver(job);
  driver.output("clicks");
  await driver.send("clicks", "/a");
  expect(job.nodes.map(({ name, inputs }) => [name, inputs.length])).toEqual(before);
  await new JobStarter(job).run({ clicks: ["/b"] });
  expect(lines.written.flatMap(({ events }) => events.map(({ data }) => data.url))).toEqual(["/b"]);
});
