/** Sources: what can be fed, and what is behind it, from the graphs of real plans. */
import { expect, it } from "vitest";
import { jobsSchema } from "../../../src/cloudflare/query/schemas.ts";
import { slowStageOf } from "../../../workers/dashboard/try/sources.ts";
import { plan } from "../../../workers/jobs/index.ts";
import { testPlan } from "../../query/deployment.ts";
import { graphPlan, Knobs } from "../../query/graph.ts";
import { tried } from "./answers.ts";

it("lists the sources of all jobs in their order, with the views behind each, near and far", async () => {
  const { sources } = await tried(plan);
  expect(sources).toEqual([
    {
      name: "clicks",
      job: "clickstream",
      example: "/home",
      views: [
        { view: "page-views", operator: "page-views", windowed: false, direct: true },
        { view: "page-views-per-minute", operator: "page-views-per-minute", windowed: true, direct: true },
      ],
    },
    {
      name: "slow-clicks",
      job: "slow-lane",
      example: "/home",
      views: [{ view: "slow-page-views", operator: "slow-page-views", windowed: false, direct: false }],
    },
  ]);
});

it("finds the stage that has a mark of its own, in the deployment and in any graph", async () => {
  const { deployment } = await tried(plan);
  expect(slowStageOf(await deployment.get("/v1/jobs", jobsSchema))).toEqual({
    job: "slow-lane",
    source: "slow-clicks",
    stage: "slow",
    highWater: 40,
    view: "slow-page-views",
  });
  const graph = await tried(graphPlan(new Knobs()));
  expect(slowStageOf(await graph.deployment.get("/v1/jobs", jobsSchema))).toMatchObject({
    source: "clicks",
    stage: "locate",
    highWater: 3,
    view: "places",
  });
  const none = await tried(testPlan());
  expect(slowStageOf(await none.deployment.get("/v1/jobs", jobsSchema))).toBeUndefined();
});
