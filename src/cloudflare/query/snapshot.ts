/** Snapshot: the counters of every shard, queue and buried message at about one moment, for health and metrics. */
import type { ShardStats } from "../../engine/shard/protocol.ts";
import type { OperatorPlan, SourcePlan } from "../../plan.ts";
import { GRAVEYARD_NAME, shardName } from "../rpc.ts";
import type { QueryContext, QueryEnv } from "./env.ts";
import type { Attempt } from "./shards.ts";
import { attempted } from "./shards.ts";

export interface Snapshot {
  readonly operators: readonly { operator: OperatorPlan; shards: readonly Attempt<ShardStats>[] }[];
  /** Null where the platform does not say. */
  readonly queues: readonly { source: SourcePlan; metrics: QueueState | null }[];
  /** How many messages were buried. */
  readonly buried: Attempt<number>;
}

export interface QueueState {
  readonly messages: number;
  readonly bytes: number;
  /** How long the oldest message has been waiting, ms; null when none waits. */
  readonly oldestAge: number | null;
}

/** Never throws: what cannot be read says so in its place. */
export async function takeSnapshot(env: QueryEnv, { plan, patience }: QueryContext): Promise<Snapshot> {
  const [operators, queues, buried] = await Promise.all([
    Promise.all(
      [...plan.operators.values()].map(async (operator) => {
        const shards = Array.from({ length: operator.shards }, (_, shard) => {
          const name = shardName(plan.generation, operator.name, shard);
          return attempted(patience, () => env.SHARD.getByName(name).stats());
        });
        return { operator, shards: await Promise.all(shards) };
      }),
    ),
    Promise.all(
      [...plan.sources.values()].map(async (source) => {
        const attempt = await attempted(patience, () => queueState(env, source.queue.binding));
        return { source, metrics: "answer" in attempt ? attempt.answer : null };
      }),
    ),
    attempted(patience, () => env.GRAVEYARD.getByName(GRAVEYARD_NAME).count()),
  ]);
  return { operators, queues, buried };
}

/** What a queue's producer binding tells of it. */
interface QueueMetrics {
  readonly backlogCount: number;
  readonly backlogBytes: number;
  /** Absent or 0 when the queue is empty. */
  readonly oldestMessageTimestamp?: Date | number;
}

async function queueState(env: object, binding: string): Promise<QueueState> {
  const queue = (env as Record<string, { metrics?: () => Promise<QueueMetrics> } | undefined>)[binding];
  if (queue?.metrics === undefined) throw new TypeError(`no queue is bound as ${binding}`);
  const { backlogCount, backlogBytes, oldestMessageTimestamp } = await queue.metrics();
  const oldest = Number(oldestMessageTimestamp ?? 0);
  const waits = backlogCount > 0 && oldest > 0;
  return {
    messages: backlogCount,
    bytes: backlogBytes,
    oldestAge: waits ? Math.max(0, Date.now() - oldest) : null,
  };
}
