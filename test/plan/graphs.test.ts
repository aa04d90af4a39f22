/** Plans of graphs with many stages: what is fused into what, who feeds whom, which queues there are. */
import { describe, expect, test } from "vitest";
import { count, Job, last, planJobs, sum } from "../../src/index.ts";
import { describePlan, originOf, pullsOf, queuesOf, stagesOf, viewsOf } from "../../src/plan.ts";
import { byUrl, Check, Clicks, Lines, locate, namesOf, Sessions, shapeOf, Ticks } from "./support.ts";

describe("a graph", () => {
  test("of sources that merge is fused into each of them", () => {
    const job = new Job("job");
    const web = job.addSource(new Clicks("web"));
    const app = job.addSource(new Ticks("app"));
    web
      .filter(() => true, "human")
      .union(app)
      .keyBy(byUrl)
      .aggregate("views", count());
    const plan = planJobs([job]);
    const key = "human.union.key-by";
    expect(shapeOf(plan.sources.get("web")?.steps ?? [])).toEqual([["human", [[key, ["views"]]]]]);
    expect(shapeOf(plan.operators.get("app")?.outputs.main ?? [])).toEqual([[key, ["views"]]]);
    expect(plan.operators.get("views")?.sources).toEqual(["web", "app"]);
    expect(namesOf(queuesOf(plan) as never)).toEqual(["web"]);
    expect(namesOf(pullsOf(plan))).toEqual(["app"]);
  });

  test("that forks and merges again takes each event over both ways", () => {
    const job = new Job("job");
    const clicks = job.addSource(new Clicks("clicks"));
    const left = clicks.map((click) => click, "left");
    const right = clicks.map((click) => click, "right");
    left.union(right).keyBy(byUrl).aggregate("views", count());
    const { steps = [], targets = [] } = planJobs([job]).sources.get("clicks") ?? {};
    const merged = [["left.union.key-by", ["views"]]];
    expect(shapeOf(steps)).toEqual([
      ["left", merged],
      ["right", merged],
    ]);
    expect(namesOf(targets)).toEqual(["views"]);
  });

  test("that is split sends branches apart; what nobody reads is dropped", () => {
    const job = new Job("job");
    const clicks = job.addSource(new Clicks("clicks"));
    const { shop, rest } = clicks.split({ shop: () => true, blog: () => true }, "parts");
    shop.keyBy(byUrl).aggregate("shop-views", count());
    rest.addSink(new Lines("others"));
    const { steps = [] } = planJobs([job]).sources.get("clicks") ?? {};
    expect(shapeOf(steps)).toEqual([
      ["parts", ["others"], { shop: [["parts.output.shop.key-by", ["shop-views"]]] }],
    ]);
  });

  test("has side outputs of operators, process functions and stages", () => {
    const job = new Job("job");
    const checked = job.addSource(new Clicks("clicks")).applyOperator(new Check("check"));
    const sessions = checked.keyBy(byUrl).applyOperator(new Sessions("sessions"));
    const located = sessions.applyOperator(locate());
    checked.sideOutput("bad").addSink(new Lines("bad-lines"));
    sessions.sideOutput("late").addSink(new Lines("late-lines"));
    located.sideOutput("unknown").addSink(new Lines("unknown-lines"));
    const plan = planJobs([job]);
    const sides = (name: string) =>
      Object.entries(plan.operators.get(name)?.outputs.sides ?? {}).map(([output, steps]) => [
        output,
        shapeOf(steps),
      ]);
    expect(sides("sessions")).toEqual([["late", ["late-lines"]]]);
    expect(sides("locate")).toEqual([["unknown", ["unknown-lines"]]]);
    expect(namesOf(plan.operators.get("sessions")?.outputs.targets ?? [])).toEqual(["locate", "late-lines"]);
    const [described] = describePlan(plan).jobs;
    expect(described?.sources[0]?.sideOutputs).toEqual([
      { of: "check", output: "bad", targets: ["bad-lines"] },
    ]);
    expect(described?.operators.find(({ name }) => name === "sessions")?.sideOutputs).toEqual([
      { of: "sessions", output: "late", targets: ["late-lines"] },
    ]);
  });

  test("chains aggregates, process functions and stages, each with the steps behind it", () => {
    const job = new Job("job");
    job
      .addSource(new Clicks("clicks"))
      .applyOperator(locate({ batchSize: 5, maxConsumers: 3, highWater: 50 }))
      .applyOperator(locate({}, "locate-again"))
      .keyBy(byUrl)
      .aggregate("views", count())
      .map(({ value, previous = 0 }) => value - previous, "growth")
      .keyBy(() => "all")
      .aggregate(
        "total",
        sum((growth) => growth),
        { shards: 1 },
      )
      .addSink(new Lines("lines"));
    const plan = planJobs([job]);
    expect([...plan.operators.values()].map(({ name, sources }) => [name, sources])).toEqual([
      ["locate", ["clicks"]],
      ["locate-again", ["locate"]],
      ["views", ["locate-again"]],
      ["total", ["views"]],
      ["lines", ["total"]],
    ]);
    expect(shapeOf(originOf(plan, "views")?.outputs.main ?? [])).toEqual([
      ["growth", [["growth.key-by", ["total"]]]],
    ]);
    expect(namesOf(stagesOf(plan))).toEqual(["locate", "locate-again"]);
    expect(queuesOf(plan).map(({ queue }) => queue.queue)).toEqual([
      "millrace-clicks",
      "millrace-locate",
      "millrace-locate-again",
    ]);
    expect(stagesOf(plan)[0]).toMatchObject({
      queue: {
        batchSize: 5,
        maxConsumers: 3,
        deadLetterQueue: "millrace-locate-dead",
        binding: "QUEUE_LOCATE",
      },
      ...{ highWater: 50, concurrency: 1, retries: 2, shards: 1, keyed: false },
    });
    expect(stagesOf(plan)[1]).toMatchObject({ queue: { batchSize: 10, maxConsumers: undefined } });
    expect(namesOf(viewsOf(plan))).toEqual(["views", "total"]);
  });

  test("enriches a stream from a table, by another port", () => {
    const job = new Job("job");
    const clicks = job.addSource(new Clicks("clicks")).keyBy(byUrl);
    const pages = job.addSource(new Clicks("pages")).keyBy(byUrl);
    const joined = clicks.enrich("named", pages, (click, page) => ({ ...click, page }), { shards: 2 });
    joined
      .keyBy((it) => it.url)
      .aggregate(
        "latest",
        last((it) => it.url),
      );
    const plan = planJobs([job]);
    expect(shapeOf(plan.sources.get("clicks")?.steps ?? [])).toEqual([["clicks.key-by", ["named"]]]);
    expect(shapeOf(plan.sources.get("pages")?.steps ?? [])).toEqual([["pages.key-by", ["named:1"]]]);
    expect(plan.operators.get("named")).toMatchObject({
      kind: "process",
      shards: 2,
      signature: "process:enrich@1",
    });
  });

  test("ends in sinks, keyed or not", () => {
    const job = new Job("job");
    const clicks = job.addSource(new Clicks("clicks"));
    clicks.addSink(new Lines("all"));
    clicks.keyBy(byUrl).addSink(new Lines("by-url", [], { shards: 3, batchTime: "1 minute" }));
    const plan = planJobs([job]);
    expect(plan.operators.get("all")).toMatchObject({ kind: "sink", keyed: false, shards: 1, batchMs: 0 });
    expect(plan.operators.get("by-url")).toMatchObject({ keyed: true, shards: 3, batchMs: 60_000 });
  });

  test("feeds a source's stage and its siblings side by side", () => {
    const job = new Job("job");
    const clicks = job.addSource(new Clicks("clicks"));
    clicks.applyOperator(locate());
    clicks.keyBy(byUrl).aggregate("views", count());
    expect(namesOf(planJobs([job]).sources.get("clicks")?.targets ?? [])).toEqual(["locate", "views"]);
  });
});

test("bindings of sinks are planned once each, with who wants them", () => {
  const files = { kind: "r2", binding: "FILES", name: "clicks-files" } as const;
  const other = { kind: "queue", binding: "OUT", name: "elsewhere" } as const;
  const job = new Job("job");
  const clicks = job.addSource(new Clicks("clicks"));
  clicks.addSink(new Lines("a", [other, files]));
  clicks.addSink(new Lines("b", [files]));
  expect(describePlan(planJobs([job])).bindings).toEqual([files, other]);
});
