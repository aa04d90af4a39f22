/** Jobs as the real HTTP interface describes them, for tests of what the page makes of them. */
import { jobsSchema } from "../../../src/cloudflare/query/schemas.ts";
import type { Job as JobAnswer } from "../../../workers/dashboard/api/types.ts";
import { examples } from "../../../workers/jobs/examples.ts";
import { Deployment } from "../../query/deployment.ts";
import { graphPlan, Knobs } from "../../query/graph.ts";

/** An example by its name, or `graph`: a job with a node of every kind. */
export async function jobNamed(name: string): Promise<JobAnswer> {
  const plan = name === "graph" ? graphPlan(new Knobs()) : examples.get(name)?.plan;
  if (plan === undefined) throw new Error(`no example ${name}`);
  const { jobs } = await new Deployment(plan).get("/v1/jobs", jobsSchema);
  const [job] = jobs;
  if (job === undefined) throw new Error(`${name} has no job`);
  return job;
}
