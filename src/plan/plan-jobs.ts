/**
 * planJobs: cuts the registered jobs into stages and maps them on queues, consumers and shards.
 *
 * Stateless steps are fused into what is upstream of them and run before what they make is durable: in front of the
 * queue, or in the upstream shard before its commit. What keeps state lives in shards. There is one queue for each HTTP
 * source and for each stage that waits or is impure. From shard to shard goes no queue: an outbox hands its outputs over
 * by calls that are acknowledged when they are committed. That costs a third of a queue's price and milliseconds less,
 * tells the outbox what has arrived, and what is too slow downstream backs up, through bounded outboxes, into the queue
 * of the source, which is where it can wait.
 */
import { PlanError } from "../errors.ts";
import type { GraphNode, SourceNode } from "../graph.ts";
import type { Job } from "../job.ts";
import { checkName } from "../job.ts";
import type { WatermarkStrategy } from "../source.ts";
import { bindingsOf } from "./bindings.ts";
import { checkGraph } from "./checks.ts";
import { connectEventTime, sourceTimeOf } from "./event-time.ts";
import { codeOf, fingerprint } from "./fingerprint.ts";
import type { UnconnectedPlan } from "./operator-plans.ts";
import { operatorOf } from "./operator-plans.ts";
import { whole } from "./options.ts";
import type { Plan, PlanOptions, SourcePlan } from "./plan.ts";
import { queuesOf } from "./plan.ts";
import { checkQueues, queueNames } from "./queues.ts";
import { StepFinder } from "./steps.ts";

/**
 * Plans all jobs of a deployment together.
 *
 * @throws PlanError when a name is used twice, an operator reads nothing, a source is read by nobody, events would run
 * in a circle, an option makes no sense, or the graph needs what this runtime cannot do. The message names the job and
 * the operator. Whether a plan may follow the one that is running is for `changesOf` to say.
 */
export function planJobs(jobs: readonly Job[], options: PlanOptions = {}): Plan {
  const { generation = 1, runtime = "workers", retired = [], watermarks } = options;
  whole("plan", "generation", generation, { least: 1, otherwise: 1 });
  const names = new Names();
  const operators = new Map<string, UnconnectedPlan>();
  const sources = new Map<string, SourcePlan>();

  for (const job of jobs) {
    names.takeJob(job);
    checkGraph(job);
    for (const node of job.nodes) {
      const operator = operatorOf(job, node);
      if (operator !== undefined) {
        names.take(job, node.kind === "pull" ? "source" : "operator", node);
        operators.set(node.name, operator);
      }
      if (node.kind === "source") names.take(job, "source", node);
    }
    const finder = new StepFinder(job, operators, runtime === "memory");
    for (const node of job.nodes) {
      if (node.kind === "source") sources.set(node.name, sourcePlan(job, node, finder, watermarks));
      const operator = operators.get(node.name);
      if (operator !== undefined) operator.outputs = finder.outputsOf(node);
    }
  }
  connectEventTime(operators, sources);
  names.mayRetire(retired);
  const plan: Plan = {
    generation,
    fingerprint: fingerprint(generation, jobs),
    jobs: jobs.map((job) => job.describe()),
    code: codeIn(jobs),
    sources,
    operators,
    retired: new Set(retired),
  };
  checkQueues(queuesOf(plan));
  bindingsOf(plan);
  return plan;
}

function sourcePlan(
  job: Job,
  node: SourceNode,
  finder: StepFinder,
  watermarks: WatermarkStrategy | undefined,
): SourcePlan {
  const { source, name } = node;
  const wait = { least: 0, most: 60, otherwise: 0 };
  const batchSeconds = whole(`source ${name}`, "batchSeconds", source.options.batchSeconds, wait);
  const { main, targets } = finder.outputsOf(node);
  const said = sourceTimeOf(`source ${name}`, source.options, "arrival");
  const eventTime = watermarks === undefined ? said : { ...said, watermarks };
  if (eventTime.watermarks === "events") {
    throw new PlanError(
      `source ${name}: requests come in no order, so its watermark cannot follow their events; replay a log with the header Millrace-Replay, which numbers its requests`,
    );
  }
  const queue = queueNames(name, { batchSeconds });
  return { job: job.name, name, onError: job.onError, source, eventTime, queue, steps: main, targets };
}

function codeIn(jobs: readonly Job[]): Map<string, string> {
  const code = new Map<string, string>();
  for (const job of jobs) {
    for (const node of job.nodes) {
      const own = codeOf(node);
      if (own !== undefined) code.set(`${job.name}/${node.name}`, own);
    }
  }
  return code;
}

/** The names of sources and operators are URLs, queues and objects: each is taken once in a deployment. */
class Names {
  readonly #jobs = new Set<string>();
  readonly #owners = new Map<string, { readonly job: string; readonly what: string }>();

  /** @throws PlanError when another job has the name. */
  takeJob({ name }: Job): void {
    if (this.#jobs.has(name)) throw new PlanError(`two jobs are named "${name}"; rename one`);
    this.#jobs.add(name);
  }

  /** @throws PlanError when it is no name, or another job has it. */
  take(job: Job, what: "source" | "operator", { name }: GraphNode): void {
    checkName(what, name);
    const other = this.#owners.get(name);
    if (other !== undefined) {
      throw new PlanError(
        other.what === what
          ? `jobs ${other.job} and ${job.name} both have ${what === "source" ? "a source" : "an operator"} "${name}"; names are unique across jobs`
          : `job ${other.job} has the ${other.what} "${name}", job ${job.name} the ${what}; names are unique across jobs`,
      );
    }
    this.#owners.set(name, { job: job.name, what });
  }

  /** @throws PlanError when a name that is to be no more is in use. */
  mayRetire(retired: readonly string[]): void {
    for (const name of retired) {
      checkName("retired", name);
      const owner = this.#owners.get(name);
      if (owner === undefined) continue;
      throw new PlanError(
        `"${name}" is retired, but job ${owner.job} has ${owner.what === "source" ? "a source" : "an operator"} of that name; take it off the list, or give the new one another name`,
      );
    }
  }
}
