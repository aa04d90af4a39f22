/** What may follow a running plan: nothing in flight is lost by it, and no state misread. */

import * as v from "valibot";
import { describe, expect, test } from "vitest";
import type { AggregateOptions, JobOptions, PlanOptions, StageOptions } from "../../src/index.ts";
import { count, Job, PlanError, planJobs, sum } from "../../src/index.ts";
import { planDescriptionSchema } from "../../src/plan/description-schema.ts";
import type { PlanDescription } from "../../src/plan.ts";
import { changesOf, describePlan, mustFollow } from "../../src/plan.ts";
import type { Click } from "./support.ts";
import { byUrl, Clicks, Lines, locate, Ticks } from "./support.ts";

interface Parts {
  job?: string;
  jobOptions?: JobOptions;
  key?: (click: Click) => string;
  filter?: (click: Click) => boolean;
  views?: AggregateOptions;
  signature?: string;
  add?: (n: number) => number;
  stage?: StageOptions | undefined;
  more?: (job: Job, clicks: ReturnType<typeof sourceOf>) => void;
  options?: PlanOptions;
}

const sourceOf = (job: Job) => job.addSource(new Clicks("clicks"));

/** `clicks → human → key-by → views`, with a stage aside. */
function described({
  job: name = "job",
  jobOptions = {},
  key = byUrl,
  filter = () => true,
  views = {},
  signature = "count@1",
  add = (n) => n + 1,
  stage = {},
  more,
  options = {},
}: Parts = {}): PlanDescription {
  const job = new Job(name, jobOptions);
  const clicks = sourceOf(job);
  clicks
    .filter(filter, "human")
    .keyBy(key)
    .aggregate("views", { ...count(), signature, add }, views);
  clicks.applyOperator(locate(stage));
  more?.(job, clicks);
  return describePlan(planJobs([job], options));
}

/** `ok added sink lines` for each change, without the reasons. */
function told(before: PlanDescription, after: PlanDescription, newGeneration = false): string[] {
  return changesOf(before, after, { newGeneration }).map(
    ({ compatible, change, what, name }) => `${compatible ? "ok" : "refused"} ${change} ${what} ${name}`,
  );
}

describe("compatible is", () => {
  test("what has not changed", () => {
    expect(changesOf(described(), described())).toEqual([]);
  });

  test.each<[what: string, after: Parts, changes: string[]]>([
    [
      "an added operator",
      { more: (_job, clicks) => clicks.addSink(new Lines("lines")) },
      ["ok added sink lines"],
    ],
    [
      "an added source",
      { more: (job) => job.addSource(new Ticks("ticks")).addSink(new Lines("lines")) },
      ["ok added sink lines", "ok added pull ticks"],
    ],
    ["an edited step", { filter: ({ url }) => url !== "" }, ["ok edited step human"]],
    ["an edited key", { key: ({ url }) => url.toLowerCase() }, ["ok edited step human.key-by"]],
    ["an edited aggregate", { add: (n) => n + 2 }, ["ok edited aggregate views"]],
    ["more keys", { views: { maxKeys: 3_000_000 } }, ["ok edited aggregate views"]],
    ["other settings of a queue", { stage: { batchSize: 20 } }, ["ok edited stage locate"]],
    ["another policy", { jobOptions: { onError: "fail" } }, ["ok edited job job"]],
    ["a retired name", { options: { retired: ["gone"] } }, []],
  ])("%s", (_what, after, changes) => {
    expect(told(described(), described(after))).toEqual(changes);
    expect(() => mustFollow(described(), described(after))).not.toThrow();
  });

  test("an added job, and one that takes over an operator", () => {
    const other = new Job("other");
    other.addSource(new Clicks("others")).addSink(new Lines("lines"));
    const both = describePlan(planJobs([other]));
    const after = { ...described(), jobs: [...described().jobs, ...both.jobs] };
    expect(told(described(), after)).toEqual([
      "ok added job other",
      "ok added source others",
      "ok added sink lines",
    ]);
    expect(told(described(), described({ job: "renamed" }))).toEqual(
      expect.arrayContaining([
        "ok added job renamed",
        "ok removed job job",
        "ok edited source clicks",
        "ok edited aggregate views",
      ]),
    );
  });

  test("another way into an operator", () => {
    const more = (_job: Job, clicks: ReturnType<typeof sourceOf>) => clicks.addSink(new Lines("lines"));
    const routed = (job: Job) => job.addSource(new Ticks("ticks")).addSink(new Lines("lines"));
    const changes = changesOf(described({ more }), described({ more: routed }));
    expect(changes).toContainEqual({
      ...{ change: "edited", what: "sink", name: "lines", compatible: true },
      reason: "it is fed by ticks from now on; messages in flight keep their old routing",
    });
  });

  test("what was removed and is retired, an operator or what has a queue", () => {
    const before = described({ more: (_job, clicks) => clicks.addSink(new Lines("lines")) });
    expect(told(before, described({ options: { retired: ["lines"] } }))).toEqual(["ok removed sink lines"]);
    const retired = planJobs([], { retired: ["clicks", "views", "locate"] });
    expect(told(described(), describePlan(retired)).filter((change) => change.startsWith("refused"))).toEqual(
      [],
    );
  });

  test("a name that comes back after it was retired, with a word about its state", () => {
    const [change] = changesOf(
      described({ options: { retired: ["lines"] } }),
      described({ more: (_job, clicks) => clicks.addSink(new Lines("lines")) }),
    );
    expect(change).toMatchObject({
      compatible: true,
      reason: expect.stringContaining("goes on with the state"),
    });
  });

  test("a name that is no longer retired, with a word about what may be in flight", () => {
    const [change] = changesOf(described({ options: { retired: ["gone"] } }), described());
    expect(change).toMatchObject({ compatible: true, name: "gone", what: "retired name" });
    expect(change?.reason).toContain("for 14 days there may be");
  });
});

describe("refused is", () => {
  test.each<[what: string, before: Parts, after: Parts, message: RegExp]>([
    [
      "a removed operator",
      { more: (_job, clicks) => clicks.addSink(new Lines("lines")) },
      {},
      /the sink "lines" is removed: messages in flight for it would end in dead letters; bring it back, or, if what is in flight may be dropped, list it in `retired`/,
    ],
    [
      "a removed source",
      {
        more: (job) =>
          job
            .addSource(new Clicks("more"))
            .union(job.addSource(new Ticks("ticks")))
            .addSink(new Lines("lines")),
      },
      { more: (job) => job.addSource(new Ticks("ticks")).addSink(new Lines("lines")) },
      /the source "more" is removed: messages may wait in millrace-more, which nobody would take/,
    ],
    [
      "a removed stage",
      { more: (_job, clicks) => void clicks.applyOperator(locate({}, "slow")) },
      {},
      /the stage "slow" is removed: messages may wait in millrace-slow, which nobody would take, and others be on their way/,
    ],
    [
      "another number of shards",
      {},
      { views: { shards: 8 } },
      /the aggregate "views" is changed: its shards are 8, but what runs under this name has 4, and keeps state by it; undo the change, or give the new one another name/,
    ],
    [
      "another number of a stage's shards",
      {},
      { stage: { shards: 2 } },
      /the stage "locate" is changed: its shards are 2/,
    ],
    [
      "another format",
      {},
      { signature: "count@2" },
      /its signature is count@2, but what runs under this name has count@1/,
    ],
    [
      "another kind",
      { more: (_job, clicks) => clicks.addSink(new Lines("extra")) },
      { more: (_job, clicks) => void clicks.applyOperator(locate({}, "extra")) },
      /the stage "extra" is changed: its kind is stage, but what runs under this name has sink/,
    ],
    [
      "a source that is asked instead of sent to",
      { more: (job) => job.addSource(new Clicks("more")).addSink(new Lines("lines")) },
      { more: (job) => job.addSource(new Ticks("more")).addSink(new Lines("lines")) },
      /the pull "more" is changed: its kind is pull, but what runs under this name has source/,
    ],
    [
      "a moved generation",
      {},
      { options: { generation: 2 } },
      /the generation "1 → 2" is moved: all state starts anew, .* say --new-generation/,
    ],
    ["an older generation", { options: { generation: 2 } }, {}, /generations only go up/],
  ])("%s", (_what, before, after, message) => {
    expect(() => mustFollow(described(before), described(after))).toThrow(PlanError);
    expect(() => mustFollow(described(before), described(after))).toThrow(message);
  });

  test("an older generation even if a moved one is meant", () => {
    const before = described({ options: { generation: 2 } });
    expect(told(before, described(), true)).toEqual(["refused moved generation 2 → 1"]);
  });

  test("all at once, before what is compatible", () => {
    const after = described({
      ...{ views: { shards: 8 }, stage: { shards: 2 }, filter: ({ url }) => url !== "" },
      more: (_job, clicks) => clicks.addSink(new Lines("lines")),
    });
    expect(told(described(), after)).toEqual([
      "refused changed stage locate",
      "refused changed aggregate views",
      "ok added sink lines",
      "ok edited step human",
    ]);
    expect(() => mustFollow(described(), after)).toThrow(
      /"locate" is changed.*\nthe aggregate "views" is changed/,
    );
  });
});

test("a moved generation that is meant may change and remove anything", () => {
  const before = described({ more: (_job, clicks) => clicks.addSink(new Lines("lines")) });
  const after = described({ views: { shards: 8 }, options: { generation: 2 } });
  expect(told(before, after, true)).toEqual(["ok moved generation 1 → 2", "ok removed sink lines"]);
});

test("code that is not told is not compared", () => {
  const bundled = (parts: Parts): PlanDescription => ({
    ...described(parts),
    jobs: described(parts).jobs.map((job) => ({
      ...job,
      nodes: job.nodes.map(({ code: _, ...node }) => node),
    })),
  });
  expect(told(bundled({}), described({ filter: ({ url }) => url !== "", add: (n) => n + 2 }))).toEqual([]);
});

test("a description survives being written, sent and read, with fields of a later version", () => {
  const description = described({
    stage: { maxConsumers: 3 },
    options: { retired: ["gone"] },
    more: (_job, clicks) => {
      clicks.addSink(new Lines("lines", [{ kind: "r2", binding: "FILES", name: "the-files" }]));
      clicks
        .keyBy(byUrl)
        .aggregate("again", count())
        .keyBy(() => "all")
        .aggregate(
          "total",
          sum(({ value }) => value),
        );
    },
  });
  const sent: unknown = JSON.parse(JSON.stringify({ ...description, later: true }));
  expect(v.parse(planDescriptionSchema, sent)).toEqual(description);
});
