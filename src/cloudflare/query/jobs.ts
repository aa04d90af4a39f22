/** Jobs: the graph and the plan of each registered job. */
import type * as v from "valibot";
import type { GraphDescription } from "../../graph.ts";
import type { Plan } from "../../plan.ts";
import { Problem, shorten } from "../http/problem.ts";
import type { QueryApp, QueryContext } from "./env.ts";
import { described, only, parameters, scoped } from "./routing.ts";
import { jobSchema, jobsSchema } from "./schemas.ts";

type JobAnswer = v.InferOutput<typeof jobSchema>;

export function addJobs(app: QueryApp, { plan }: QueryContext): void {
  app.get(
    "/v1/jobs",
    described("jobs", { summary: "All jobs with their graphs and plans", answer: jobsSchema }),
    scoped("read"),
    parameters({}),
    (context) => context.json({ jobs: plan.jobs.map((job) => jobAnswer(plan, job)) }),
  );
  app.get(
    "/v1/jobs/:job",
    described("jobs", { summary: "One job with its graph and plan", answer: jobSchema, errors: [404] }),
    scoped("read"),
    parameters({}),
    (context) => {
      const name = context.req.param("job");
      const job = plan.jobs.find((candidate) => candidate.job === name);
      if (job === undefined) {
        throw new Problem(
          404,
          `no job "${shorten(name)}"; there are: ${plan.jobs.map((known) => known.job).join(", ")}`,
        );
      }
      return context.json(jobAnswer(plan, job));
    },
  );
  only(app, "/v1/jobs", "GET");
  only(app, "/v1/jobs/:job", "GET");
}

function jobAnswer(plan: Plan, { job, nodes }: GraphDescription): JobAnswer {
  const sources = [...plan.sources.values()].filter((source) => source.job === job);
  const operators = [...plan.operators.values()].filter((operator) => operator.job === job);
  return {
    job,
    nodes: nodes.map(({ name, kind, inputs }) => ({ name, kind, inputs: [...inputs] })),
    sources: sources.map(({ name, queue, targets }) => ({
      source: name,
      queue: queue.queue,
      deadLetterQueue: queue.deadLetterQueue,
      operators: targets.map((target) => target.name),
    })),
    operators: operators.map(({ name, shards, maxKeys, sources }) => ({
      operator: name,
      sources: [...sources],
      shards,
      maxKeys,
      view: name,
    })),
    views: operators.map(({ name }) => name),
  };
}
