/** Jobs for the tests of TestDriver: each is made anew, with its streams, so that tests cannot meet in one. */
import type {
  Collector,
  Event,
  ProcessContext,
  PullRequest,
  SinkBatch,
  SourceCollector,
  Timer,
} from "../../src/index.ts";
import {
  count,
  InvalidEventError,
  Job,
  ProcessFunction,
  PullSource,
  Sink,
  Source,
  stage,
  sum,
} from "../../src/index.ts";

export interface Click {
  readonly url: string;
  readonly user?: string;
}

export class Clicks extends Source<Click> {
  getEvents(input: unknown, collector: SourceCollector<Click>): void {
    const record = (typeof input === "string" ? { url: input } : input) as Click & {
      time?: number | string;
      id?: string;
    };
    if (typeof record.url !== "string") throw new InvalidEventError("url: missing");
    const { time, id, ...click } = record;
    collector.emit(click, { time, id });
  }
}

/** Says when a user comes, and when nothing came of him for half an hour; forgets his pages after two hours. */
export class Visits extends ProcessFunction<Click, string> {
  apply({ data }: Event<Click>, collector: Collector<string>, { key, now, state, timers }: ProcessContext) {
    const pages = state.list<string>("pages", { ttl: "2 hours" });
    if (timers.get("quiet") === undefined) collector.emit(`${key} comes, known pages: ${pages.get().length}`);
    pages.add(data.url);
    if (data.url === "/admin") collector.emitTo("suspicious", `${key} at ${data.url}`);
    timers.set("quiet", now + 30 * 60_000);
  }

  override onTimer(timer: Timer, collector: Collector<string>, { state }: ProcessContext) {
    collector.emit(`${timer.key} left after ${state.list("pages").get().length} pages`);
  }
}

export function visitsJob() {
  const job = new Job("visits");
  const clicks = job.addSource(new Clicks("clicks"));
  const visits = clicks.keyBy((click) => click.user ?? "nobody").applyOperator(new Visits("visits"));
  return { job, visits, suspicious: visits.sideOutput<string>("suspicious") };
}

/** Clicks per page, and pages per number of clicks: an aggregate behind an aggregate. */
export function histogramJob() {
  const job = new Job("histogram");
  const counts = job
    .addSource(new Clicks("clicks"))
    .keyBy((click) => click.url)
    .aggregate("page-views", count());
  const histogram = counts
    .flatMap(({ value, previous }) => [
      { bucket: `${value}`, by: 1 },
      ...(previous === undefined ? [] : [{ bucket: `${previous}`, by: -1 }]),
    ])
    .keyBy(({ bucket }) => bucket)
    .aggregate(
      "pages-by-views",
      sum((change) => change.by),
    );
  return { job, counts, histogram };
}

/** Orders with the latest name of their customer. */
export function ordersJob() {
  const job = new Job("orders");
  const customers = job.addSource(new Json<{ id: string; name: string }>("customers"));
  const orders = job.addSource(new Json<{ customer: string; amount: number }>("orders"));
  const named = orders
    .keyBy(({ customer }) => customer)
    .enrich(
      "named-orders",
      customers.keyBy(({ id }) => id),
      ({ amount }, customer) => `${customer?.name ?? "somebody"}: ${amount}`,
    );
  return { job, named };
}

export class Json<T> extends Source<T> {
  getEvents(input: unknown, collector: SourceCollector<T>): void {
    collector.emit(input as T);
  }
}

export type LookUp = (url: string) => string | Promise<string>;

/** Titles of pages from a service that may be slow or fail, with a counter behind it. */
export function titlesJob(lookUp: LookUp, retries = 2) {
  const job = new Job("titles");
  const titles = job.addSource(new Clicks("clicks")).applyOperator(
    stage({
      name: "look-up",
      retries,
      async apply({ data }: Event<Click>, collector: Collector<string>) {
        collector.emit(await lookUp(data.url));
      },
    }),
  );
  titles.keyBy((title) => title).aggregate("titles", count());
  return { job, titles };
}

/** Remembers what it was really given. */
export class Lines<T> extends Sink<T> {
  readonly written: SinkBatch<T>[] = [];

  async write(batch: SinkBatch<T>): Promise<void> {
    this.written.push(batch);
  }
}

/** 1, 2, 3, … three at a time. */
export class Numbers extends PullSource<number, number> {
  constructor(name: string, every = "10 seconds") {
    super(name, { every });
  }

  getEvents({ offset = 0 }: PullRequest<number>) {
    const events = [1, 2, 3].map((n) => ({ data: offset + n }));
    return { events, offset: offset + 3 };
  }
}

/** A bit of everything, with code that fails: two sources, timers, a stage, a table, chained aggregates and a sink. */
export function everythingJob() {
  const job = new Job("everything");
  const clicks = job.addSource(new Clicks("clicks"));
  const numbers = job.addSource(new Numbers("numbers", "10 minutes"));
  const checked = clicks.map((click) => {
    if (click.url === "/bad") throw new Error("bad page");
    return click;
  }, "check");
  const byUser = checked.keyBy((click) => click.user ?? "nobody");
  const visits = byUser.applyOperator(new Visits("visits"));
  const suspicious = visits.sideOutput<string>("suspicious");
  const counts = checked.keyBy((click) => click.url).aggregate("page-views", count());
  const grown = counts.map(({ key, value, previous = 0 }) => ({ key, by: value - previous }));
  const pages = grown
    .flatMap(({ key, by }) => [
      { section: key.slice(0, 2), by },
      { section: "all", by },
    ])
    .keyBy(({ section }) => section)
    .aggregate(
      "sections",
      sum(({ by }) => by),
    );
  const titled = checked.applyOperator(
    stage({
      name: "look-up",
      shards: 2,
      concurrency: 3,
      async apply({ data }: Event<Click>, collector: Collector<string>) {
        if (data.url === "/lost") throw new Error("404");
        collector.emit(data.url.toUpperCase());
        if (data.user !== undefined) collector.emit(`${data.user} reads`);
      },
    }),
  );
  titled.keyBy((title) => title).aggregate("titles", count());
  const sales = numbers
    .keyBy((n) => `u${n % 5}`)
    .enrich("sales", byUser, (n, click) => `${n} after ${click?.url ?? "nothing"}`);
  visits.union(suspicious, sales).addSink(new Lines("lines", { batchEvents: 20, batchTime: "5 minutes" }));
  return { job, streams: { visits, suspicious, counts, pages, titled, sales } };
}
