/** Answers: what the API says of a plan's jobs and views, asked of its query app. */
import type { Plan } from "../../../src/index.ts";
import type { Job, Jobs, View, Views } from "../../../workers/dashboard/api/types.ts";
import { Deployment } from "../../query/deployment.ts";

export async function answersOf(plan: Plan): Promise<{ jobs: Job[]; views: View[] }> {
  const deployment = new Deployment(plan);
  const ask = async <Answer>(path: string) => (await (await deployment.request(path)).json()) as Answer;
  return {
    jobs: (await ask<Jobs>("/v1/jobs")).jobs,
    views: (await ask<Views>("/v1/views")).views,
  };
}
