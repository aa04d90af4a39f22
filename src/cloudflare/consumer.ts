/**
 * Consumer: the queue handler of the operator Worker: executors over Durable Objects, one for each kind of queue.
 *
 * It counts what the platform bills for the batches, and hands that over with its next call of a shard.
 */
import { systemClock } from "../clock.ts";
import { openEnvelope } from "../engine/envelope.ts";
import type { BuriedMessage } from "../engine/operator-executor.ts";
import { OperatorExecutor } from "../engine/operator-executor.ts";
import type { ShardCall, ShardReply } from "../engine/shard/protocol.ts";
import { StageExecutor } from "../engine/stage-executor.ts";
import type { Usage } from "../engine/usage.ts";
import { ONE_REQUEST, UsageLedger } from "../engine/usage.ts";
import type { WatermarkClient } from "../engine/watermark/reports.ts";
import { buriedOf, report } from "../engine/watermark/reports.ts";
import { messageOf } from "../errors.ts";
import type { Plan } from "../plan.ts";
import { pullsOf, queuesOf, stagesOf } from "../plan.ts";
import { usageOfBatch, usageOfRequests } from "./batch-usage.ts";
import { queueOf } from "./queue.ts";
import type { ClaimsRpc, CoordinatorRpc, GraveyardRpc, Namespace, ShardRpc } from "./rpc.ts";
import { callShard, coordinatorName, GRAVEYARD_NAME, shardName } from "./rpc.ts";

/** Besides these, under its name from the plan, the queue of each stage. */
export interface ConsumerEnv {
  readonly SHARD: Namespace<ShardRpc>;
  readonly CLAIMS: Namespace<ClaimsRpc>;
  readonly GRAVEYARD: Namespace<GraveyardRpc>;
  readonly COORDINATOR: Namespace<CoordinatorRpc>;
}

/** Notes what was used for the source or stage of a queue. */
type Bill = (queue: string, used: Usage) => void;

/** Handles the batches of all queues of the plan, dead-letter queues among them. */
export function queueHandler(plan: Plan): (batch: MessageBatch, env: ConsumerEnv) => Promise<void> {
  const deadLetterQueues = new Set(queuesOf(plan).map(({ queue }) => queue.deadLetterQueue));
  const stages = new Map(stagesOf(plan).map((stage) => [stage.queue.queue, stage]));
  const owners = ownersOf(plan);
  // What a batch of a source that feeds only stages has used goes with the next call for a stage.
  const usage = new UsageLedger();
  const bill: Bill = (queue, used) => {
    const owner = owners.get(queue);
    if (owner !== undefined) usage.add(owner, used);
  };
  // One of each for the isolate: they remember which shards are still to be told about which segments.
  let executors: { operators: OperatorExecutor; stages: StageExecutor } | undefined;
  return async (batch, env) => {
    if (batch.messages.length === 0) return;
    bill(batch.queue, usageOfBatch(batch.messages));
    if (deadLetterQueues.has(batch.queue)) {
      await buryAll(plan, batch, env, bill);
      return;
    }
    executors ??= {
      operators: operatorExecutor(plan, env, usage, bill),
      stages: stageExecutor(plan, env, usage),
    };
    const stage = stages.get(batch.queue);
    if (stage === undefined) await executors.operators.consume(batch.queue, batch.messages);
    else await executors.stages.consume(stage, batch.messages);
  };
}

/** Starts the pull sources; for a cron trigger, as a deployment tells no object that it has begun. */
export function scheduledHandler(plan: Plan): (event: unknown, env: ConsumerEnv) => Promise<void> {
  return async (_event, env) => {
    const sources = pullsOf(plan).map(({ name }) => env.SHARD.getByName(shardName(plan.generation, name, 0)));
    const woken = await Promise.allSettled(sources.map((source) => source.wake()));
    for (const outcome of woken) {
      if (outcome.status === "rejected")
        console.error(`a source did not start: ${messageOf(outcome.reason)}`);
    }
  };
}

/** Ten seconds: what takes longer costs retries, which a queue counts. */
const PATIENCE = {
  tries: 20,
  wait: () => new Promise<void>((resolve) => setTimeout(resolve, 500)),
};

function operatorExecutor(plan: Plan, env: ConsumerEnv, usage: UsageLedger, bill: Bill): OperatorExecutor {
  return new OperatorExecutor({
    plan,
    shards: { apply: (call) => callWith(usage, env, call) },
    claims: {
      claim: (producer, fingerprint, sequences) =>
        env.CLAIMS.getByName(producer).claim(producer, fingerprint, sequences),
    },
    queue: ({ queue }) => queueOf(env, queue),
    graveyard: { bury: (message) => bury(env, bill, message) },
    watermarks: watermarksOf(plan, env),
    clock: systemClock,
    patience: PATIENCE,
    onRead: (messages) => usage.addAll(usageOfRequests(messages)),
    onError,
  });
}

function stageExecutor(plan: Plan, env: ConsumerEnv, usage: UsageLedger): StageExecutor {
  return new StageExecutor({
    plan,
    shards: {
      apply: (call) => callWith(usage, env, call),
      progress: (operator, shard, segments) =>
        env.SHARD.getByName(shardName(plan.generation, operator, shard)).progress(
          segments.map(({ producer, sequence }) => ({ producer, sequence })),
        ),
    },
    watermarks: watermarksOf(plan, env),
    clock: systemClock,
    onError,
  });
}

/** Calls a shard, and tells it what has been used. */
function callWith(usage: UsageLedger, env: ConsumerEnv, call: ShardCall): Promise<ShardReply> {
  return usage.handOver((used) => callShard(env.SHARD, used === undefined ? call : { ...call, used }));
}

/** The graveyard counts nothing itself. */
function bury(env: ConsumerEnv, bill: Bill, message: BuriedMessage): Promise<void> {
  bill(message.queue, ONE_REQUEST);
  return env.GRAVEYARD.getByName(GRAVEYARD_NAME).bury(message);
}

/** By queue, dead-letter queues among them, the source or stage that it belongs to. */
function ownersOf(plan: Plan): Map<string, string> {
  return new Map(
    queuesOf(plan).flatMap(({ name, queue }) => [
      [queue.queue, name],
      [queue.deadLetterQueue, name],
    ]),
  );
}

function watermarksOf({ generation }: Plan, { COORDINATOR }: ConsumerEnv): WatermarkClient {
  return {
    committed: (job, report) => COORDINATOR.getByName(coordinatorName(generation, job)).committed(report),
  };
}

function onError(error: unknown, about: string): void {
  console.error(`${about}: ${messageOf(error)}`);
}

async function buryAll(plan: Plan, batch: MessageBatch, env: ConsumerEnv, bill: Bill): Promise<void> {
  const reason = "its queue gave up on it after all retries";
  for (const message of batch.messages) {
    const body = typeof message.body === "string" ? message.body : JSON.stringify(message.body);
    const { id } = message;
    await bury(env, bill, { id, queue: batch.queue, reason, body, redrivable: true });
    await report(plan, watermarksOf(plan, env), buriedIn(plan, body));
    message.ack();
  }
}

/** What a buried message holds is not waited for any more; of one that cannot be read nobody knows. */
function buriedIn(plan: Plan, body: string) {
  try {
    const { source, segments } = openEnvelope(body);
    return buriedOf(plan, source, segments);
  } catch {
    return [];
  }
}
