/** Snapshot: the counters of every shard, queue and buried message at about one moment, for health and metrics. */
import type { Clock } from "../../clock.ts";
import type { ShardStats } from "../../engine/shard/protocol.ts";
import type { WatermarkStatus } from "../../engine/watermark/protocol.ts";
import type { OperatorPlan, SourcePlan, StagePlan } from "../../plan.ts";
import { queuesOf } from "../../plan.ts";
import type { Attempt } from "../attempt.ts";
import { attempted } from "../attempt.ts";
import { coordinatorName, GRAVEYARD_NAME, shardNames } from "../rpc.ts";
import type { QueryContext, QueryEnv } from "./env.ts";

export interface Snapshot {
  /** When it was begun, epoch milliseconds. */
  readonly now: number;
  readonly operators: readonly { operator: OperatorPlan; shards: readonly Attempt<ShardStats>[] }[];
  /** Of each source and each stage. Null where the platform does not say. */
  readonly queues: readonly { owner: SourcePlan | StagePlan; metrics: QueueState | null }[];
  /** Of each job in which something goes by event time. */
  readonly watermarks: readonly { job: string; status: Attempt<WatermarkStatus> }[];
  /** How many messages were buried. */
  readonly buried: Attempt<number>;
}

export interface QueueState {
  readonly messages: number;
  readonly bytes: number;
  /** How long the oldest message has been waiting, ms; null when none waits. */
  readonly oldestAge: number | null;
}

/** What a shard of before the last deploy does not say of itself. */
const UNSAID: Pick<ShardStats, "emitted" | "outbox" | "busy"> = {
  emitted: {},
  outbox: { segments: 0, bytes: 0 },
  busy: false,
};

/** Never throws: what cannot be read says so in its place. */
export async function takeSnapshot(
  env: Pick<QueryEnv, "SHARD" | "COORDINATOR" | "GRAVEYARD">,
  { plan, patience, clock }: Pick<QueryContext, "plan" | "patience" | "clock">,
): Promise<Snapshot> {
  const now = clock.now();
  const timed = [...plan.operators.values()].filter(({ eventTime }) => eventTime.watermarked);
  const [operators, queues, watermarks, buried] = await Promise.all([
    Promise.all(
      [...plan.operators.values()].map(async (operator) => {
        const shards = shardNames(plan.generation, operator).map((name) =>
          attempted(patience, async () => ({ ...UNSAID, ...(await env.SHARD.getByName(name).stats()) })),
        );
        return { operator, shards: await Promise.all(shards) };
      }),
    ),
    Promise.all(
      queuesOf(plan).map(async (owner) => {
        const attempt = await attempted(patience, () => queueState(env, owner.queue.binding, clock));
        return { owner, metrics: "answer" in attempt ? attempt.answer : null };
      }),
    ),
    Promise.all(
      [...new Set(timed.map(({ job }) => job))].map(async (job) => {
        const name = coordinatorName(plan.generation, job);
        return { job, status: await attempted(patience, () => env.COORDINATOR.getByName(name).status()) };
      }),
    ),
    attempted(patience, () => env.GRAVEYARD.getByName(GRAVEYARD_NAME).count()),
  ]);
  return { now, operators, queues, watermarks, buried };
}

/** The stats of the shards that have answered. */
export function answered(shards: readonly Attempt<ShardStats>[]): ShardStats[] {
  return shards.flatMap((attempt) => ("answer" in attempt ? [attempt.answer] : []));
}

/** How long ago something was, ms; null when it never was. Clocks differ between machines: never negative. */
export function ageOf(time: number | undefined, now: number): number | null {
  return time === undefined ? null : Math.max(0, now - time);
}

/** What a queue's producer binding tells of it. */
interface QueueMetrics {
  readonly backlogCount: number;
  readonly backlogBytes: number;
  /** Absent or 0 when the queue is empty. */
  readonly oldestMessageTimestamp?: Date | number;
}

async function queueState(env: object, binding: string, clock: Clock): Promise<QueueState> {
  const queue = (env as Record<string, { metrics?: () => Promise<QueueMetrics> } | undefined>)[binding];
  if (queue?.metrics === undefined) throw new TypeError(`no queue is bound as ${binding}`);
  const { backlogCount, backlogBytes, oldestMessageTimestamp } = await queue.metrics();
  const oldest = Number(oldestMessageTimestamp ?? 0);
  return {
    messages: backlogCount,
    bytes: backlogBytes,
    oldestAge: backlogCount > 0 && oldest > 0 ? ageOf(oldest, clock.now()) : null,
  };
}
