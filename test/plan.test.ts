/** Jobs, streams and plans: what makes no sense is refused by name, and the fingerprint tells versions apart. */
import { describe, expect, test } from "vitest";
import type { Aggregator, Collector, Event, Plan, PlanOptions, SourceCollector } from "../src/index.ts";
import { Aggregate, count, Job, Operator, PlanError, planJobs, Source, sum } from "../src/index.ts";
import { DEFAULT_MAX_KEYS, DEFAULT_SHARDS } from "../src/plan.ts";

interface Click {
  readonly url: string;
}

class Clicks extends Source<Click> {
  getEvents(input: unknown, collector: SourceCollector<Click>): void {
    collector.emit(input as Click);
  }
}

class Clean extends Operator<Click, Click> {
  apply({ data }: Event<Click>, collector: Collector<Click>): void {
    collector.emit(data);
  }
}

class Views extends Aggregate<Click, number> {
  create(): number {
    return 0;
  }
  add(views: number): number {
    return views + 1;
  }
  merge(left: number, right: number): number {
    return left + right;
  }
  result(views: number): number {
    return views;
  }
}

const byUrl = ({ url }: Click) => url;

function clickJob(name = "job", source = "clicks", view = "views"): Job {
  const job = new Job(name);
  job.addSource(new Clicks(source)).keyBy(byUrl).applyOperator(new Views(view));
  return job;
}

describe("refused while building", () => {
  const cases: readonly (readonly [what: string, build: () => unknown, message: RegExp])[] = [
    ["a job without a name", () => new Job(""), /job name "": use lower-case letters/],
    ["a job with a bad name", () => new Job("Click Stream"), /job name "Click Stream"/],
    ["a name that starts with a digit", () => new Job("1st"), /starting with a letter/],
    ["a name over 48 characters", () => new Job("x".repeat(49)), /at most 48/],
    ["a name with a line break at its end", () => new Job("job\n"), /job name "job\\n"/],
    ["a source with a bad name", () => new Job("job").addSource(new Clicks("../x")), /source name "..\/x"/],
    [
      "two sources of one name",
      () => {
        const job = clickJob();
        job.addSource(new Clicks("clicks"));
      },
      /"clicks" is used twice \(source and source\)/,
    ],
    [
      "two operators of one name",
      () =>
        new Job("job")
          .addSource(new Clicks("clicks"))
          .applyOperator(new Clean("x"))
          .applyOperator(new Clean("x")),
      /"x" is used twice/,
    ],
    [
      "an operator with a source's name",
      () => new Job("job").addSource(new Clicks("clicks")).map((click) => click, "clicks"),
      /"clicks" is used twice \(source and map\)/,
    ],
    [
      "one operator on a keyed and an unkeyed stream",
      () => {
        const clicks = new Job("job").addSource(new Clicks("clicks"));
        const clean = new Clean("clean");
        clicks.applyOperator(clean);
        clicks.keyBy(byUrl).applyOperator(clean);
      },
      /"clean" is used twice/,
    ],
    [
      "an operator that would read what it emits",
      () => {
        const clicks = new Job("job").addSource(new Clicks("clicks"));
        const clean = new Clean("clean");
        clicks
          .applyOperator(clean)
          .map((click) => click)
          .applyOperator(clean);
      },
      /"clean" would read what it emits itself/,
    ],
    [
      "an operator applied to its own stream",
      () => {
        const clean = new Clean("clean");
        new Job("job").addSource(new Clicks("clicks")).applyOperator(clean).applyOperator(clean);
      },
      /would read what it emits itself/,
    ],
    [
      "no function",
      () => new Job("job").addSource(new Clicks("clicks")).map(undefined as never),
      /map: takes a function, got undefined/,
    ],
    [
      "an async map",
      () => new Job("job").addSource(new Clicks("clicks")).map((async () => 1) as never),
      /map: the function is async/,
    ],
    [
      "an async filter",
      () => new Job("job").addSource(new Clicks("clicks")).filter((async () => true) as never),
      /filter: the function is async/,
    ],
    [
      "an async flatMap",
      () => new Job("job").addSource(new Clicks("clicks")).flatMap((async () => []) as never),
      /flatMap: the function is async/,
    ],
    [
      "an async generator",
      () =>
        new Job("job").addSource(new Clicks("clicks")).flatMap(async function* () {
          yield 1;
        } as never),
      /flatMap: the function is async/,
    ],
    [
      "an async keyBy",
      () => new Job("job").addSource(new Clicks("clicks")).keyBy((async () => "k") as never),
      /keyBy: the function is async/,
    ],
  ];

  test.each(cases)("%s", (_what, build, message) => {
    expect(build).toThrow(PlanError);
    expect(build).toThrow(message);
  });
});

describe("refused while planning", () => {
  const withOptions = (options: object) => {
    const job = new Job("job");
    job.addSource(new Clicks("clicks")).keyBy(byUrl).applyOperator(new Views("views", options));
    return [job];
  };
  const asyncHook = (hook: "create" | "add" | "merge" | "result"): Job[] => {
    const job = new Job("job");
    job
      .addSource(new Clicks("clicks"))
      .keyBy(byUrl)
      .aggregate("views", { ...count(), [hook]: async () => 0 } as Aggregator<Click, number, number>);
    return [job];
  };

  const cases: readonly (readonly [what: string, jobs: () => Job[], message: RegExp])[] = [
    ["two jobs of one name", () => [clickJob(), clickJob()], /two jobs are named "job"/],
    [
      "a source in two jobs",
      () => [clickJob("a", "clicks", "v1"), clickJob("b", "clicks", "v2")],
      /jobs a and b both have a source "clicks"/,
    ],
    [
      "an operator in two jobs",
      () => [clickJob("a", "c1"), clickJob("b", "c2")],
      /jobs a and b both have an operator "views"/,
    ],
    [
      "a queue that is another's dead-letter queue",
      () => [clickJob("a", "clicks", "v1"), clickJob("b", "clicks-dead", "v2")],
      /the source "clicks" and the source "clicks-dead" both need the queue millrace-clicks-dead/,
    ],
    [
      "the same, the other way round",
      () => [clickJob("a", "clicks-dead", "v1"), clickJob("b", "clicks", "v2")],
      /the source "clicks" and the source "clicks-dead" both need/,
    ],
    ["a view with a bad name", () => [clickJob("job", "clicks", "Page Views")], /operator name "Page Views"/],
    [
      "a source that nobody reads",
      () => {
        const job = clickJob();
        job.addSource(new Clicks("idle"));
        return [job];
      },
      /nothing reads the source "idle"/,
    ],
    [
      "keys that nobody uses",
      () => {
        const job = new Job("job");
        job.addSource(new Clicks("clicks")).keyBy(byUrl);
        return [job];
      },
      /nothing follows "clicks.key-by"/,
    ],
    [
      "a stream that ends in nothing",
      () => {
        const job = new Job("job");
        job.addSource(new Clicks("clicks")).map(byUrl);
        return [job];
      },
      /nothing reads what "clicks.map" emits/,
    ],
    [
      "a keyed operator with a map of its own",
      () => {
        const job = new Job("job");
        job.addSource(new Clicks("clicks")).keyBy(byUrl).applyOperator(new Clean("clean"));
        return [job];
      },
      /"clean" is a keyed operator with state of its own/,
    ],
    ["no shards", () => withOptions({ shards: 0 }), /shards must be a whole number from 1 to 256, not 0/],
    ["half a shard", () => withOptions({ shards: 1.5 }), /not 1.5/],
    ["too many shards", () => withOptions({ shards: 257 }), /not 257/],
    ["no number of shards", () => withOptions({ shards: Number.NaN }), /not NaN/],
    ["no keys", () => withOptions({ maxKeys: 0 }), /maxKeys must be a whole number above 0, not 0/],
    ["no number of keys", () => withOptions({ maxKeys: Number.NaN }), /maxKeys/],
    [
      "an async source",
      () => {
        const job = new Job("job");
        const clicks = new Clicks("clicks");
        Object.assign(clicks, { getEvents: async () => undefined });
        job.addSource(clicks).keyBy(byUrl).applyOperator(new Views("views"));
        return [job];
      },
      /a hook of "clicks" is async/,
    ],
    [
      "an async operator",
      () => {
        const job = new Job("job");
        const clean = new Clean("clean");
        Object.assign(clean, { apply: async () => undefined });
        job
          .addSource(new Clicks("clicks"))
          .applyOperator(clean)
          .keyBy(byUrl)
          .applyOperator(new Views("views"));
        return [job];
      },
      /a hook of "clean" is async/,
    ],
    ...(["create", "add", "merge", "result"] as const).map(
      (hook) =>
        [`an aggregate with an async ${hook}`, () => asyncHook(hook), /a hook of "views" is async/] as const,
    ),
  ];

  test.each(cases)("%s", (_what, jobs, message) => {
    expect(() => planJobs(jobs())).toThrow(PlanError);
    expect(() => planJobs(jobs())).toThrow(message);
  });

  test("names the component and can be told apart by type", () => {
    try {
      planJobs([clickJob(), clickJob()]);
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ name: "PlanError", component: "plan" });
    }
  });
});

describe("a plan", () => {
  test("of no jobs is empty", () => {
    const plan = planJobs([]);
    expect([plan.jobs, plan.sources.size, plan.operators.size]).toEqual([[], 0, 0]);
  });

  test("has queues, bindings, shards and who feeds whom", () => {
    const plan = planJobs([clickJob("job", "page-clicks")], { generation: 3 });
    expect(plan.generation).toBe(3);
    expect(plan.sources.get("page-clicks")?.queue).toEqual({
      queue: "millrace-page-clicks",
      deadLetterQueue: "millrace-page-clicks-dead",
      binding: "QUEUE_PAGE_CLICKS",
      batchSeconds: 0,
      batchSize: 100,
      maxConsumers: undefined,
    });
    expect(plan.operators.get("views")).toMatchObject({
      job: "job",
      shards: DEFAULT_SHARDS,
      maxKeys: DEFAULT_MAX_KEYS,
      sources: ["page-clicks"],
    });
    expect(plan.jobs).toEqual([
      {
        job: "job",
        nodes: [
          { name: "page-clicks", kind: "source", inputs: [] },
          { name: "page-clicks.key-by", kind: "keyBy", inputs: ["page-clicks"] },
          { name: "views", kind: "aggregate", inputs: ["page-clicks.key-by"] },
        ],
      },
    ]);
  });

  test("names what was given no name by its input, and numbers the second", () => {
    const job = new Job("job");
    const clicks = job.addSource(new Clicks("clicks"));
    for (let n = 0; n < 3; n++)
      clicks
        .map((click) => click)
        .filter(() => true)
        .keyBy(byUrl)
        .aggregate(`views-${n}`, count());
    expect(job.nodes.map(({ name }) => name).filter((name) => name.includes("."))).toEqual([
      "clicks.map",
      "clicks.map.filter",
      "clicks.map.filter.key-by",
      "clicks.map-2",
      "clicks.map-2.filter",
      "clicks.map-2.filter.key-by",
      "clicks.map-3",
      "clicks.map-3.filter",
      "clicks.map-3.filter.key-by",
    ]);
  });

  test("one operator on two streams is one operator with two inputs", () => {
    const job = new Job("job");
    const views = new Views("views");
    const clean = new Clean("clean");
    const web = job.addSource(new Clicks("web"));
    const app = job.addSource(new Clicks("app"));
    web.applyOperator(clean);
    app.applyOperator(clean).keyBy(byUrl).applyOperator(views);
    app.keyBy(byUrl).applyOperator(views);
    const plan = planJobs([job]);
    expect(plan.operators.get("views")?.sources).toEqual(["web", "app"]);
    expect([...plan.sources.values()].map(({ targets }) => targets.map(({ name }) => name))).toEqual([
      ["views"],
      ["views"],
    ]);
    expect(job.describe().nodes.find(({ name }) => name === "clean")?.inputs).toEqual(["web", "app"]);
  });

  test("in memory allows what keeps state in an instance, which is one target however often it is reached", () => {
    const job = new Job("job");
    const clean = new Clean("clean");
    const clicks = job.addSource(new Clicks("clicks"));
    clicks.map((click) => click).applyOperator(clean);
    clicks.filter(() => true).applyOperator(clean);
    const plan = planJobs([job], { runtime: "memory" });
    expect(plan.sources.get("clicks")?.targets).toEqual([
      { kind: "local", name: "clean", shards: 1, keyed: false, operator: clean },
    ]);
  });
});

describe("the fingerprint", () => {
  interface Parts {
    key?: (click: Click) => string;
    map?: (click: Click) => Click;
    shards?: number;
    signature?: string;
    add?: (count: number) => number;
    view?: string;
    maxKeys?: number;
    twice?: boolean;
    source?: Clicks;
    options?: PlanOptions;
  }

  function planned({
    key = ({ url }) => url,
    map = (click) => click,
    shards = 4,
    signature = "count@1",
    add = (n) => n + 1,
    view = "views",
    maxKeys = 10,
    twice = false,
    source = new Clicks("clicks"),
    options = {},
  }: Parts = {}): Plan {
    const job = new Job("job");
    const clicks = job.addSource(source);
    const mapped = clicks.map(map);
    mapped.keyBy(key).aggregate(view, { ...count(), signature, add }, { shards, maxKeys });
    if (twice) clicks.keyBy(key).aggregate("more", count());
    return planJobs([job], options);
  }

  test("is the same for the same job, and 16 hex digits", () => {
    expect(planned().fingerprint).toBe(planned().fingerprint);
    expect(planned().fingerprint).toMatch(/^[0-9a-f]{16}$/);
    expect(planned({ maxKeys: 20 }).fingerprint).toBe(planned().fingerprint);
    expect(planned({ options: { runtime: "memory" } }).fingerprint).toBe(planned().fingerprint);
  });

  test("changes with everything that decides where an event goes", () => {
    class Other extends Clicks {
      override getEvents(input: unknown, collector: SourceCollector<Click>): void {
        collector.emit({ url: String(input) });
      }
    }
    const changed: Parts[] = [
      { key: ({ url }) => url.toLowerCase() },
      { map: ({ url }) => ({ url }) },
      { shards: 5 },
      { signature: "count@2" },
      { add: (n) => n + 2 },
      { view: "page-views" },
      { twice: true },
      { source: new Other("clicks") },
      { source: new Clicks("others") },
      { options: { generation: 2 } },
    ];
    const prints = [planned(), ...changed.map(planned)].map(({ fingerprint }) => fingerprint);
    expect(new Set(prints).size).toBe(prints.length);
  });

  test("changes with the text of an operator's or an aggregate's class", () => {
    class CleanMore extends Operator<Click, Click> {
      apply({ data }: Event<Click>, collector: Collector<Click>): void {
        if (data.url !== "") collector.emit(data);
      }
    }
    class DoubleViews extends Views {
      override get signature(): string {
        return "Views@1";
      }
      override add(views: number): number {
        return views + 2;
      }
    }
    const prints = [
      [new Clean("clean"), new Views("views")],
      [new CleanMore("clean"), new Views("views")],
      [new Clean("clean"), new DoubleViews("views")],
    ] as const;
    const fingerprints = prints.map(([clean, views]) => {
      const job = new Job("job");
      job.addSource(new Clicks("clicks")).applyOperator(clean).keyBy(byUrl).applyOperator(views);
      return planJobs([job]).fingerprint;
    });
    expect(new Set(fingerprints).size).toBe(3);
  });
});

test("an aggregate's default signature is its class's", () => {
  expect([new Views("views").signature, new Views("views").growing]).toEqual(["Views@1", false]);
  const job = new Job("job");
  job
    .addSource(new Clicks("clicks"))
    .keyBy(byUrl)
    .aggregate(
      "sum",
      sum(() => 1),
    );
  expect(planJobs([job]).operators.get("sum")?.signature).toBe("sum@1");
});

test("a source says how long its queue waits for a batch; nonsense is refused", () => {
  const withWait = (batchSeconds: number) => {
    const job = new Job("job");
    job
      .addSource(
        new (class extends Source<string> {
          getEvents(): void {}
        })("lines", { batchSeconds }),
      )
      .keyBy(() => "all")
      .aggregate("lines-seen", count());
    return planJobs([job]).sources.get("lines")?.queue.batchSeconds;
  };
  expect([withWait(0), withWait(60)]).toEqual([0, 60]);
  for (const wrong of [-1, 61, 0.5, Number.NaN]) expect(() => withWait(wrong)).toThrow(/batchSeconds/);
});
