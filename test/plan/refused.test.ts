/** Graphs and options that make no sense are refused by name, however they came about. */
import { describe, expect, test } from "vitest";
import type { GraphNode } from "../../src/graph.ts";
import type { PlanOptions, SinkBinding, StageOptions } from "../../src/index.ts";
import { count, Job, PlanError, planJobs, stage } from "../../src/index.ts";
import { FilterOperator } from "../../src/operators/filter.ts";
import { byUrl, Check, Clicks, Lines, locate, Sessions, Ticks } from "./support.ts";

/** A job with `clicks → views`, and a way past the types. */
function clickJob(name = "job", source = "clicks", view = "views") {
  const job = new Job(name);
  const clicks = job.addSource(new Clicks(source));
  clicks.keyBy(byUrl).aggregate(view, count());
  const node = (called: string) => job.nodes.find((known) => known.name === called) as GraphNode;
  const push = (added: GraphNode) => void (job.nodes as GraphNode[]).push(added);
  return { job, clicks, node, push };
}

function filterNode(name: string, inputs: GraphNode[]): GraphNode {
  return { kind: "operator", name, inputs, operator: new FilterOperator(name, () => true), keyed: false };
}

const plan = ({ job }: { job: Job }, options?: PlanOptions) => planJobs([job], options);

const withStage = (options: StageOptions, name = "locate") => {
  const built = clickJob();
  built.clicks.applyOperator(locate(options, name));
  return built;
};

const withSink = (...bindings: SinkBinding[]) => {
  const built = clickJob();
  bindings.forEach((binding, n) => {
    built.clicks.addSink(new Lines(`sink-${n}`, [binding]));
  });
  return built;
};

const cases: readonly (readonly [what: string, attempt: () => unknown, message: RegExp])[] = [
  [
    "a name twice, past the types",
    () => {
      const built = clickJob();
      built.push(filterNode("views", [built.node("clicks")]));
      return plan(built);
    },
    /job job: the name "views" is used twice/,
  ],
  [
    "a cycle",
    () => {
      const built = clickJob();
      const first = filterNode("first", [built.node("clicks")]);
      const second = filterNode("second", [first]);
      first.inputs.push(second);
      built.push(first);
      built.push(second);
      return plan(built);
    },
    /job job: events would run in a circle: "first" → "second" → "first"/,
  ],
  [
    "an operator without input",
    () => {
      const built = clickJob();
      built.push(filterNode("lost", []));
      return plan(built);
    },
    /job job: the filter "lost" has no input; apply it to a stream/,
  ],
  [
    "an aggregate without input",
    () => {
      const built = clickJob();
      built.node("views").inputs.length = 0;
      return plan(built);
    },
    /the aggregate "views" has no input; apply it to a stream/,
  ],
  [
    "a source with an input",
    () => {
      const built = clickJob();
      built.node("clicks").inputs.push(built.node("views"));
      return plan(built);
    },
    /source "clicks" cannot have an input/,
  ],
  [
    "a union across jobs",
    () => clickJob("a").clicks.union(clickJob("b", "others", "v2").clicks),
    /union: the streams belong to different jobs/,
  ],
  [
    "a table of another job",
    () =>
      clickJob("a")
        .clicks.keyBy(byUrl)
        .enrich("named", clickJob("b").clicks.keyBy(byUrl), (click) => click),
    /enrich named: the table belongs to another job/,
  ],
  [
    "an input of another job, past the types",
    () => {
      const built = clickJob("a");
      built.node("views").inputs.push(clickJob("b", "others").node("others.key-by"));
      return plan(built);
    },
    /job a: "views" reads "others.key-by", which is not a part of this job/,
  ],
  [
    "a keyed operator on a stream without keys, past the types",
    () => {
      const built = clickJob();
      built.node("views").inputs.push(built.node("clicks"));
      return plan(built);
    },
    /the aggregate "views" needs keys, but "clicks" has none; put a keyBy between/,
  ],
  [
    "the side output of an operator that has none",
    () => {
      const built = clickJob();
      built.clicks
        .filter(() => true, "human")
        .sideOutput("bots")
        .addSink(new Lines("bots"));
      return plan(built);
    },
    /nothing is ever emitted to the side output "bots" of the filter "human"; only split/,
  ],
  [
    "a branch that a split has not",
    () => {
      const built = clickJob();
      built.clicks
        .split({ shop: () => true }, "parts")
        .rest.sideOutput("blog")
        .addSink(new Lines("blog"));
      return plan(built);
    },
    /nothing is ever emitted to the side output "blog" of the split "parts"; it has shop/,
  ],
  [
    "the side output of an enrich",
    () => {
      const built = clickJob();
      const keyed = built.clicks.keyBy(byUrl);
      keyed
        .enrich("named", keyed, (click) => click)
        .sideOutput("unknown")
        .addSink(new Lines("unknown"));
      return plan(built);
    },
    /nothing is ever emitted to the side output "unknown" of the process "named"/,
  ],
  [
    "a source's side output",
    () => clickJob().clicks.sideOutput("late"),
    /"clicks" is no operator that could have one/,
  ],
  [
    "a retired name in use",
    () => plan(clickJob(), { retired: ["views"] }),
    /"views" is retired, but job job has an operator of that name/,
  ],
  [
    "a retired source in use",
    () => plan(clickJob(), { retired: ["clicks"] }),
    /"clicks" is retired, but job job has a source of that name/,
  ],
  ["a retired name that is none", () => plan(clickJob(), { retired: ["Views"] }), /retired name "Views"/],
  [
    "no generation",
    () => plan(clickJob(), { generation: 0 }),
    /plan: generation must be a whole number above 0/,
  ],
  [
    "a stage whose queue is a source's dead-letter queue",
    () => plan(withStage({}, "clicks-dead")),
    /the source "clicks" and the stage "clicks-dead" both need the queue millrace-clicks-dead; rename one/,
  ],
  [
    "a pull source that nobody reads",
    () => {
      const built = clickJob();
      built.job.addSource(new Ticks("ticks"));
      return plan(built);
    },
    /nothing reads the source "ticks"/,
  ],
  [
    "a source of which only a stray union is read",
    () => {
      const built = clickJob();
      built.clicks.union(built.clicks);
      return plan(built);
    },
    /nothing follows "clicks.union"/,
  ],
  [
    "a stage's name over 48 characters",
    () => plan(withStage({}, "x".repeat(49))),
    /operator name "x+".*at most 48/,
  ],
  [
    "a pull source's name over 48 characters",
    () => new Job("job").addSource(new Ticks("x".repeat(49))),
    /source name "x+".*at most 48/,
  ],
  [
    "a sink's name that is none",
    () => {
      const built = clickJob();
      built.clicks.addSink(new Lines("My lines"));
      return plan(built);
    },
    /operator name "My lines"/,
  ],
  [
    "an operator that is another job's source",
    () => planJobs([clickJob("a").job, clickJob("b", "more", "clicks").job]),
    /job a has the source "clicks", job b the operator/,
  ],
  [
    "a pull source that is another job's source",
    () => {
      const job = new Job("b");
      job.addSource(new Ticks("clicks")).addSink(new Lines("lines"));
      return planJobs([clickJob("a").job, job]);
    },
    /jobs a and b both have a source "clicks"/,
  ],
  [
    "a stage of no concurrency",
    () => plan(withStage({ concurrency: 0 })),
    /operator locate: concurrency must be a whole number from 1 to 1000, not 0/,
  ],
  [
    "a stage with a large batch",
    () => plan(withStage({ batchSize: 101 })),
    /batchSize must be a whole number from 1 to 100, not 101/,
  ],
  [
    "a stage without consumers",
    () => plan(withStage({ maxConsumers: 0 })),
    /maxConsumers must be a whole number from 1 to 250, not 0/,
  ],
  ["a stage with too many consumers", () => plan(withStage({ maxConsumers: 251 })), /maxConsumers must be/],
  [
    "a stage that tries less than once",
    () => plan(withStage({ retries: -1 })),
    /retries must be a whole number from 0 to 20, not -1/,
  ],
  [
    "a stage with no mark",
    () => plan(withStage({ highWater: 0 })),
    /highWater must be a whole number above 0, not 0/,
  ],
  [
    "a stage of half a shard",
    () => plan(withStage({ shards: 0.5 })),
    /shards must be a whole number from 1 to 256, not 0.5/,
  ],
  [
    "a sink of empty batches",
    () => {
      const built = clickJob();
      built.clicks.addSink(new Lines("lines", [], { batchEvents: 0 }));
      return plan(built);
    },
    /operator lines: batchEvents must be a whole number above 0/,
  ],
  [
    "a sink that waits for no time",
    () => {
      const built = clickJob();
      built.clicks.addSink(new Lines("lines", [], { batchTime: "soon" }));
      return plan(built);
    },
    /operator lines: batchTime: not a duration: "soon"/,
  ],
  [
    "a pull source that asks for nothing",
    () => {
      const job = new Job("job");
      job.addSource(new Ticks("ticks", { limit: 0 })).addSink(new Lines("lines"));
      return planJobs([job]);
    },
    /source ticks: limit must be a whole number from 1 to 10000/,
  ],
  [
    "two sinks that mean different things by one binding",
    () =>
      plan(
        withSink(
          { kind: "r2", binding: "FILES", name: "one-bucket" },
          { kind: "r2", binding: "FILES", name: "other-bucket" },
        ),
      ),
    /the sinks "sink-0" and "sink-1" both want the binding FILES, for the r2 one-bucket and the r2 other-bucket/,
  ],
  [
    "a sink that writes into a queue of Millrace's own",
    () => plan(withSink({ kind: "queue", binding: "OUT", name: "millrace-clicks" })),
    /the sink "sink-0" wants the queue millrace-clicks as OUT, but the source "clicks" has that/,
  ],
  [
    "a sink with the binding of a source",
    () => plan(withSink({ kind: "r2", binding: "QUEUE_CLICKS", name: "files" })),
    /wants the r2 files as QUEUE_CLICKS, but the source "clicks" has that/,
  ],
  [
    "a sink's binding that is no name",
    () => plan(withSink({ kind: "r2", binding: "files", name: "files" })),
    /binding "files": use capitals/,
  ],
  [
    "a bucket that is no name",
    () => plan(withSink({ kind: "r2", binding: "FILES", name: "A" })),
    /bucket "A": use 3 to 63/,
  ],
  [
    "more ways through a graph than anybody can want",
    () => {
      const built = clickJob();
      let stream = built.clicks;
      for (let n = 0; n < 20; n++) stream = stream.filter(() => true).union(stream.filter(() => true));
      stream.addSink(new Lines("lines"));
      return plan(built);
    },
    /more than 10000 ways through the steps behind "clicks"/,
  ],
  [
    "an async process function",
    () => {
      const built = clickJob();
      built.clicks
        .keyBy(byUrl)
        .applyOperator(Object.assign(new Sessions("sessions"), { onTimer: async () => {} }));
      return plan(built);
    },
    /a hook of "sessions" is async, but nothing waits for it; .* or make it a stage/,
  ],
];

describe("refused", () => {
  test.each(cases)("%s", (_what, attempt, message) => {
    expect(attempt).toThrow(PlanError);
    expect(attempt).toThrow(message);
  });

  test.each([
    [
      "that is read",
      (job: Job) =>
        job
          .addSource(new Clicks("clicks"))
          .keyBy(byUrl)
          .applyOperator(new Check("check"))
          .map((it) => it)
          .addSink(new Lines("lines")),
      /what "check" emits is read, but an operator with state of its own ends its stream/,
    ],
    [
      "behind a shard",
      (job: Job) =>
        job.addSource(new Clicks("clicks")).applyOperator(locate()).applyOperator(new Check("check")),
      /"check" keeps its results itself, so it can only follow the stateless steps of a source, not "locate"/,
    ],
  ])("in memory, an operator with a map of its own %s", (_what, build, message) => {
    const job = new Job("job");
    build(job);
    expect(() => planJobs([job], { runtime: "memory" })).toThrow(message);
  });

  test("nothing of a stage that is async, or a source that is asked", () => {
    const job = new Job("job");
    job.addSource(new Ticks("ticks")).applyOperator(stage({ name: "slow", async apply() {} }));
    expect([...planJobs([job]).operators.keys()]).toEqual(["ticks", "slow"]);
  });
});
