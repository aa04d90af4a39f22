/** The article's demo, word for word: a reader and a counter make a job, the starter runs it, and the counts are there. */
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import type { Collector, Event, SourceCollector } from "../../src/index.ts";
import { Aggregate, count, Job, JobStarter, Operator, parse, Source } from "../../src/index.ts";

interface Click {
  readonly url: string;
}

const clickSchema = v.object({ url: v.string(), time: v.optional(v.string()) });

class ClickReader extends Source<Click> {
  getEvents(input: unknown, collector: SourceCollector<Click>) {
    const { url, time } = parse(clickSchema, typeof input === "string" ? { url: input } : input);
    collector.emit({ url }, { time });
  }
}

const lines = ["/home", "/products", "/home", "/about", "/home", "/products"];

describe("the counter as an aggregate", () => {
  class PageViewCounter extends Aggregate<Click, number, number> {
    create() {
      return 0;
    }
    add(count: number) {
      return count + 1;
    }
    merge(left: number, right: number) {
      return left + right;
    }
    result(count: number) {
      return count;
    }
  }

  test("three lines make a complete job", async () => {
    const job = new Job("clickstream");
    const clicks = job.addSource(new ClickReader("clicks"));
    clicks.keyBy((click) => click.url).applyOperator(new PageViewCounter("page-views"));

    const starter = new JobStarter(job);
    await starter.run({ clicks: lines });

    const views = starter.view("page-views");
    expect(views.entries()).toEqual([
      { key: "/about", value: 1 },
      { key: "/home", value: 3 },
      { key: "/products", value: 2 },
    ]);
    expect(views.top(2)).toEqual([
      { key: "/home", value: 3 },
      { key: "/products", value: 2 },
    ]);
    expect(views.get("/home")).toBe(3);
    expect(views.get("/nowhere")).toBeUndefined();
  });

  test("the fluent way is sugar for the same", async () => {
    const job = new Job("clickstream");
    job
      .addSource(new ClickReader("clicks"))
      .keyBy((click) => click.url)
      .aggregate("page-views", count());
    const starter = new JobStarter(job);
    await starter.run({ clicks: [...lines, { url: "/home", time: "2026-01-31T12:00:00Z" }, { url: 5 }] });
    expect(starter.view("page-views").top(1)).toEqual([{ key: "/home", value: 4 }]);
  });
});

describe("the counter in its plain form", () => {
  class PageViewCounter extends Operator<Click> {
    counts = new Map<string, number>();

    apply(event: Event<Click>, _collector: Collector<never>) {
      const { url } = event.data;
      this.counts.set(url, (this.counts.get(url) ?? 0) + 1);
    }
  }

  test.each(["keyed", "plain"])("keeps its own map, on a %s stream", async (kind) => {
    const counter = new PageViewCounter("page-views");
    const job = new Job("clickstream");
    const clicks = job.addSource(new ClickReader("clicks"));
    if (kind === "keyed") clicks.keyBy((click) => click.url).applyOperator(counter);
    else clicks.applyOperator(counter);
    await new JobStarter(job).run({ clicks: lines });
    expect(Object.fromEntries(counter.counts)).toEqual({ "/home": 3, "/products": 2, "/about": 1 });
  });
});
