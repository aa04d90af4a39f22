/** Which of the jobs that run the article is told with, and what is found of them. */
import { describe, expect, it } from "vitest";
import type { Job as PlannedJob } from "../../../src/index.ts";
import { generator, log, Job as NewJob, planJobs } from "../../../src/index.ts";
import type { Health, Job, Jobs, Views } from "../../../workers/dashboard/api/types.ts";
import {
  hasSlowLane,
  keyedViews,
  queueOf,
  shardsOf,
  toldBy,
  windowedViews,
} from "../../../workers/dashboard/article/deployment.ts";
import { clickstream } from "../../../workers/jobs/clickstream/clickstream-job.ts";
import { job as twoSources } from "../../../workers/jobs/exercises/3-two-sources.ts";
import { job as sensors } from "../../../workers/jobs/sensors/sensors-job.ts";
import { slowLane } from "../../../workers/jobs/slow-lane/slow-lane-job.ts";
import { Deployment } from "../../query/deployment.ts";

interface Documents {
  readonly jobs: Jobs;
  readonly views: Views;
  readonly health: Health;
}

/** What the real endpoints say of these jobs. */
async function documentsOf(...planned: readonly PlannedJob[]): Promise<Documents> {
  const deployment = new Deployment(planJobs(planned, { generation: 7 }));
  const read = async (path: string) => (await deployment.request(path)).json();
  return {
    jobs: (await read("/v1/jobs")) as Jobs,
    views: (await read("/v1/views")) as Views,
    health: (await read("/v1/health")) as Health,
  };
}

const names = (operators: readonly Job["operators"][number][]) => operators.map(({ operator }) => operator);

describe("the job that the article is told with", () => {
  it("is the one that reads clicks, wherever it stands", async () => {
    const { jobs, views } = await documentsOf(slowLane, clickstream);
    const told = toldBy(jobs);
    expect(told?.job.job).toBe("clickstream");
    expect(names(told?.first ?? [])).toEqual(["page-views", "page-views-per-minute"]);
    expect(keyedViews(told?.first ?? [], views)).toEqual(["page-views"]);
    expect(told && windowedViews(told.job, views)).toEqual(["page-views-per-minute"]);
    expect(hasSlowLane(jobs)).toBe(true);
  });

  it("is else the first that can be sent anything", async () => {
    const { jobs } = await documentsOf(sensors);
    expect(toldBy(jobs)?.source).toBe(jobs.jobs[0]?.sources[0]?.source);
    expect(hasSlowLane(jobs)).toBe(false);
    const { jobs: both } = await documentsOf(twoSources);
    expect(toldBy(both)?.source).toBe("clicks");
  });

  it("is none where nothing can be sent", async () => {
    const pulled = new NewJob("pulled");
    pulled.addSource(generator("robots", { rate: 1, make: (n) => n })).addSink(log("printed"));
    const { jobs } = await documentsOf(pulled);
    expect(toldBy(jobs)).toBeUndefined();
    expect(toldBy(undefined)).toBeUndefined();
  });
});

describe("what is found in health", () => {
  it("queues by the source or stage that they belong to, and the shards that answer", async () => {
    const { health } = await documentsOf(clickstream, slowLane);
    expect(queueOf(health, "slow")?.queue).toBe("millrace-slow");
    expect(queueOf(undefined, "slow")).toBeUndefined();
    expect(shardsOf(health, ["page-views"]).map(({ shard }) => shard)).toEqual([0, 1, 2, 3]);
    expect(shardsOf(health).length).toBeGreaterThan(4);
    const [first] = health.operators;
    const silent: Health = {
      ...health,
      operators: [{ ...first, shards: [{ shard: 0, error: "down" }] }] as never,
    };
    expect(shardsOf(silent)).toEqual([]);
  });
});
