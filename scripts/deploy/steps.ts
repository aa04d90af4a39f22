/** The steps of a deployment as data: what has to be there comes before what needs it. */
import type { Plan } from "../../src/index.ts";
import { bindingsOf } from "../../src/plan.ts";
import { queueNamesOf, type WorkerName, workers } from "../plan/configs.ts";

export type DeployStep = QueueStep | BucketStep | WorkerStep;

export interface QueueStep {
  readonly kind: "queue";
  readonly queue: string;
  /** What wrangler is called with. */
  readonly args: readonly string[];
}

export interface BucketStep {
  readonly kind: "bucket";
  readonly bucket: string;
  readonly args: readonly string[];
}

export interface WorkerStep {
  readonly kind: "worker";
  readonly worker: WorkerName;
  readonly args: readonly string[];
}

/** Fourteen days, the longest that there is: exactly-once holds for as long as a message may come again. */
const RETENTION_SECONDS = 14 * 86_400;

/** The operator Worker holds the objects that the others bind; the ingest Worker, the public door, calls the query Worker. */
const WORKER_ORDER: readonly WorkerName[] = ["operator", "query", "ingest"];

/**
 * Queues and buckets first, since wrangler refuses a Worker whose queues are missing; of each of our queues, its
 * dead-letter queue first.
 */
export function deploySteps(plan: Plan, existingQueues: ReadonlySet<string>): DeployStep[] {
  const own = queueNamesOf(plan).flatMap(({ queue, deadLetterQueue }) => [deadLetterQueue, queue]);
  const bindings = bindingsOf(plan);
  const sinks = new Set(bindings.filter(({ kind }) => kind === "queue").map(({ name }) => name));
  const buckets = new Set(bindings.filter(({ kind }) => kind === "r2").map(({ name }) => name));
  const isMissing = (queue: string) => !existingQueues.has(queue);
  return [
    ...own.filter(isMissing).map((queue) => queueStep(queue, RETENTION_SECONDS)),
    // How long what sinks send is kept is for whoever reads it to say.
    ...[...sinks].filter(isMissing).map((queue) => queueStep(queue)),
    ...[...buckets].map(bucketStep),
    ...WORKER_ORDER.map(workerStep),
  ];
}

function queueStep(queue: string, retention?: number): QueueStep {
  const args = ["queues", "create", queue];
  if (retention !== undefined) args.push(`--message-retention-period-secs=${retention}`);
  return { kind: "queue", queue, args };
}

/** Without a look whether it is there: to create it again changes nothing. */
function bucketStep(bucket: string): BucketStep {
  return { kind: "bucket", bucket, args: ["r2", "bucket", "create", bucket] };
}

function workerStep(worker: WorkerName): WorkerStep {
  const config = workers.find(({ name }) => name === worker)?.config ?? "";
  return { kind: "worker", worker, args: ["deploy", `--config=${config}`] };
}
