/** Jobs: the graph and the plan of each registered job. */
import type * as v from "valibot";
import type { GraphDescription } from "../../graph.ts";
import type { OperatorPlan, Plan } from "../../plan.ts";
import { describePlan, isView } from "../../plan.ts";
import { Problem, shorten } from "../http/problem.ts";
import type { QueryApp, QueryContext } from "./env.ts";
import { described, only, parameters, scoped } from "./routing.ts";
import { jobSchema, jobsSchema } from "./schemas.ts";

type JobAnswer = v.InferOutput<typeof jobSchema>;

export function addJobs(app: QueryApp, { plan }: QueryContext): void {
  // This is a bundle: what it makes of the code of nodes says nothing to who asks.
  const description = describePlan(plan, { code: false });
  app.get(
    "/v1/jobs",
    described("jobs", { summary: "All jobs with their graphs and plans", answer: jobsSchema }),
    scoped("read"),
    parameters({}),
    (context) => context.json({ jobs: plan.jobs.map((job) => jobAnswer(plan, job)), plan: description }),
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
    onError: [...sources, ...operators][0]?.onError ?? "dead-letter",
    nodes: nodes.map(({ name, kind, inputs }) => ({ name, kind, inputs: [...inputs] })),
    sources: sources.map(({ name, source: { example }, queue, targets }) => ({
      source: name,
      ...(example === undefined ? {} : { example }),
      queue: queue.queue,
      deadLetterQueue: queue.deadLetterQueue,
      operators: targets.map((target) => target.name),
    })),
    operators: operators.map(operatorAnswer),
    views: operators.filter(isView).map(({ name }) => name),
  };
}

function operatorAnswer(operator: OperatorPlan): JobAnswer["operators"][number] {
  const { name, kind, sources, shards, outputs } = operator;
  return {
    operator: name,
    kind,
    sources: [...sources],
    outputs: outputs.targets.map((target) => target.name),
    shards,
    ...particularsOf(operator),
  };
}

/** What only this kind of operator has. */
function particularsOf(
  operator: OperatorPlan,
): Pick<JobAnswer["operators"][number], "view" | "maxKeys" | "stage" | "sink" | "pull"> {
  switch (operator.kind) {
    case "aggregate":
    case "window":
    case "process":
      return { view: operator.name, maxKeys: operator.maxKeys };
    case "stage": {
      const { queue, concurrency, retries, highWater = null } = operator;
      const { queue: name, deadLetterQueue, batchSize, maxConsumers = null } = queue;
      return {
        stage: { queue: name, deadLetterQueue, concurrency, batchSize, maxConsumers, retries, highWater },
      };
    }
    case "sink": {
      const { batchEvents, batchBytes, batchMs, bufferBytes } = operator;
      return { sink: { batchEvents, batchBytes, batchMs, bufferBytes } };
    }
    case "pull":
      return { pull: { everyMs: operator.everyMs, limit: operator.limit } };
  }
}
