/** Queues: the names of what a source or a stage is queued by, and names that would meet. */
import { PlanError } from "../errors.ts";
import type { QueueNames } from "./plan.ts";

/** The queues of a source or a stage and the binding under which Workers reach it. */
export function queueNames(
  name: string,
  consumer: Partial<Pick<QueueNames, "batchSeconds" | "batchSize" | "maxConsumers">> = {},
): QueueNames {
  const { batchSeconds = 0, batchSize = 100, maxConsumers } = consumer;
  return {
    queue: `millrace-${name}`,
    deadLetterQueue: `millrace-${name}-dead`,
    binding: `QUEUE_${name.toUpperCase().replaceAll("-", "_")}`,
    batchSeconds,
    batchSize,
    maxConsumers,
  };
}

/** A source or a stage. */
export interface QueueOwner {
  readonly kind?: "stage";
  readonly name: string;
  readonly queue: QueueNames;
}

/** @throws PlanError when the queue of one is the dead-letter queue of another. */
export function checkQueues(owners: readonly QueueOwner[]): void {
  for (const owner of owners) {
    const clash = owners.find((other) => other.queue.queue === owner.queue.deadLetterQueue);
    if (clash === undefined) continue;
    throw new PlanError(
      `${described(owner)} and ${described(clash)} both need the queue ${clash.queue.queue}; rename one`,
    );
  }
}

/** `the source "clicks"` */
export function described({
  kind = "source" as string,
  name,
}: {
  readonly kind?: string;
  readonly name: string;
}) {
  return `the ${kind} "${name}"`;
}
