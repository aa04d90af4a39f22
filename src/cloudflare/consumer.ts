/** Consumer: the queue handler of the operator Worker, an OperatorExecutor over Durable Objects. */
import { systemClock } from "../clock.ts";
import { OperatorExecutor } from "../engine/operator-executor.ts";
import { messageOf } from "../errors.ts";
import type { Plan } from "../plan.ts";
import type { ClaimsRpc, GraveyardRpc, Namespace, ShardRpc } from "./rpc.ts";
import { GRAVEYARD_NAME, shardName } from "./rpc.ts";

export interface ConsumerEnv {
  readonly SHARD: Namespace<ShardRpc>;
  readonly CLAIMS: Namespace<ClaimsRpc>;
  readonly GRAVEYARD: Namespace<GraveyardRpc>;
}

/** Handles the batches of all queues of the plan, dead-letter queues among them. */
export function queueHandler(plan: Plan): (batch: MessageBatch, env: ConsumerEnv) => Promise<void> {
  const deadLetterQueues = new Set([...plan.sources.values()].map(({ queue }) => queue.deadLetterQueue));
  let executor: OperatorExecutor | undefined;
  return async (batch, env) => {
    if (batch.messages.length === 0) return;
    if (deadLetterQueues.has(batch.queue)) {
      await buryAll(batch, env.GRAVEYARD.getByName(GRAVEYARD_NAME));
      return;
    }
    // One for the isolate: it remembers which shards are still to be told about which segments.
    executor ??= new OperatorExecutor({
      plan,
      shards: {
        apply: (call) => {
          const shard = env.SHARD.getByName(shardName(call.generation, call.operator, call.shard));
          const header = {
            ...call,
            segments: call.segments.map((segment) => ({ ...segment, content: null })),
          };
          return shard.apply(
            JSON.stringify(header),
            call.segments.map(({ content }) => content),
          );
        },
      },
      claims: {
        claim: (producer, fingerprint, sequences) =>
          env.CLAIMS.getByName(producer).claim(producer, fingerprint, sequences),
      },
      graveyard: { bury: (message) => env.GRAVEYARD.getByName(GRAVEYARD_NAME).bury(message) },
      clock: systemClock,
      onError: (error, about) => console.error(`${about}: ${messageOf(error)}`),
    });
    await executor.consume(batch.queue, batch.messages);
  };
}

async function buryAll(batch: MessageBatch, graveyard: GraveyardRpc): Promise<void> {
  const reason = "its queue gave up on it after all retries";
  for (const message of batch.messages) {
    const body = typeof message.body === "string" ? message.body : JSON.stringify(message.body);
    await graveyard.bury({ id: message.id, queue: batch.queue, reason, body, redrivable: true });
    message.ack();
  }
}
