/** The steps of a deployment as data: what has to be there comes before what needs it. */
import type { Plan } from "../../src/index.ts";
import { queuesOf, type WorkerName, workers } from "../plan/configs.ts";

export type DeployStep = QueueStep | WorkerStep;

export interface QueueStep {
  readonly kind: "queue";
  readonly queue: string;
  /** What wrangler is called with. */
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

/** Queues first, since wrangler refuses a Worker whose queues are missing; of each, its dead-letter queue first. */
export function deploySteps(plan: Plan, existingQueues: ReadonlySet<string>): DeployStep[] {
  const queues = queuesOf(plan)
    .flatMap(({ queue, deadLetterQueue }) => [deadLetterQueue, queue])
    .filter((queue) => !existingQueues.has(queue));
  return [...queues.map(queueStep), ...WORKER_ORDER.map(workerStep)];
}

function queueStep(queue: string): QueueStep {
  const args = ["queues", "create", queue, `--message-retention-period-secs=${RETENTION_SECONDS}`];
  return { kind: "queue", queue, args };
}

function workerStep(worker: WorkerName): WorkerStep {
  const config = workers.find(({ name }) => name === worker)?.config ?? "";
  return { kind: "worker", worker, args: ["deploy", `--config=${config}`] };
}
