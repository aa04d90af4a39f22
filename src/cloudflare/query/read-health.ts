/** Health reader: whether everything answers, what waits in queues, outboxes and sinks, and who holds up whom. */
import type * as v from "valibot";
import type { ShardStats } from "../../engine/shard/protocol.ts";
import type { WatermarkStatus } from "../../engine/watermark/protocol.ts";
import type { Plan } from "../../plan.ts";
import type { Attempt } from "../attempt.ts";
import { highWaterOf, isStage, markOf, stagesBehind } from "../high-water.ts";
import type { QueryContext, QueryEnv } from "./env.ts";
import { knownFlows } from "./known-flows.ts";
import type {
  healthSchema,
  outboxSchema,
  queueHealthSchema,
  shardHealthSchema,
  sinkSchema,
  watermarksSchema,
} from "./schemas.ts";
import type { Snapshot } from "./snapshot.ts";
import { ageOf, answered, takeSnapshot } from "./snapshot.ts";

export type HealthAnswer = v.InferOutput<typeof healthSchema>;
/** What health is read from; besides these, the producer binding of each queue. */
export type HealthEnv = Pick<QueryEnv, "SHARD" | "COORDINATOR" | "GRAVEYARD" | "BACKLOG_HIGH_WATER">;
export type HealthContext = Pick<QueryContext, "plan" | "patience" | "clock">;
type QueueHealth = v.InferOutput<typeof queueHealthSchema>;

/** Never throws: what cannot be read is among its problems. */
export async function readHealth(env: HealthEnv, context: HealthContext): Promise<HealthAnswer> {
  return healthOf(context.plan, await takeSnapshot(env, context), highWaterOf(env.BACKLOG_HIGH_WATER));
}

export function healthOf(plan: Plan, snapshot: Snapshot, highWater: number): HealthAnswer {
  const { now, operators, buried } = snapshot;
  const problems = operators.flatMap(({ operator: { name }, shards }) =>
    shards.flatMap((attempt, shard) =>
      "error" in attempt ? [`operator ${name}, shard ${shard}: ${attempt.error}`] : [],
    ),
  );
  for (const { job, status } of snapshot.watermarks) {
    if ("error" in status) problems.push(`watermarks of ${job}: ${status.error}`);
  }
  if ("error" in buried) problems.push(`buried messages: ${buried.error}`);
  const all = operators.flatMap(({ shards }) => answered(shards));
  const dead = all.flatMap(({ flows }) => Object.values(flows).map((flow) => flow.dead));
  const queues = snapshot.queues.map((queue) => queueHealth(queue, highWater));
  return {
    at: new Date(now).toISOString(),
    status: problems.length === 0 ? "ok" : "degraded",
    refusing: refusing(plan, queues),
    busy: operators.flatMap(({ operator: { name }, shards }) =>
      answered(shards).flatMap(({ busy, shard }) => (busy ? [`${name}/${shard}`] : [])),
    ),
    queues,
    deadLetters: { events: sum(dead), messages: "answer" in buried ? buried.answer : null },
    operators: operators.map(({ operator: { name, kind }, shards }) => {
      const stats = answered(shards);
      return {
        operator: name,
        kind,
        outbox: outboxOf(stats, now),
        ...(kind === "sink" ? { sink: sinkOf(stats) } : {}),
        shards: shards.map((attempt, shard) => shardHealth(attempt, shard, now)),
      };
    }),
    flows: knownFlows(snapshot)
      .filter(({ sure }) => sure)
      .map(({ internal: _internal, sure: _sure, ...flow }) => flow),
    watermarks: snapshot.watermarks.flatMap(({ job, status }) =>
      "answer" in status ? [watermarksOf(job, status.answer, now)] : [],
    ),
    ...(problems.length === 0 ? {} : { problems }),
  };
}

function watermarksOf(
  job: string,
  { sources, operators }: WatermarkStatus,
  now: number,
): v.InferOutput<typeof watermarksSchema> {
  const of = (watermark: number) => ({
    watermark: timeOrNull(watermark),
    lagMs: watermark < 0 ? null : Math.max(0, now - watermark),
  });
  return {
    job,
    sources: Object.entries(sources).map(([source, { watermark, frontier, holds, replays }]) => ({
      source,
      ...of(watermark),
      frontier: timeOrNull(frontier),
      ...{ holds, replays },
    })),
    operators: Object.entries(operators).map(([operator, { watermark, wanted }]) => ({
      operator,
      ...of(watermark),
      ...(wanted === undefined ? {} : { nextTimer: new Date(wanted).toISOString() }),
    })),
  };
}

function timeOrNull(time: number): string | null {
  return time < 0 ? null : new Date(time).toISOString();
}

function queueHealth({ owner, metrics }: Snapshot["queues"][number], highWater: number): QueueHealth {
  const mark = markOf(owner, highWater);
  return {
    queue: owner.queue.queue,
    kind: isStage(owner) ? "stage" : "source",
    name: owner.name,
    backlog: metrics === null ? null : { messages: metrics.messages, bytes: metrics.bytes },
    oldestMessageAgeMs: metrics?.oldestAge ?? null,
    highWater: mark,
    over: metrics === null ? null : metrics.messages >= mark,
  };
}

/** The sources for which ingest goes by a queue that is over its mark. */
function refusing(plan: Plan, queues: readonly QueueHealth[]): string[] {
  const over = new Set(queues.filter((queue) => queue.over === true).map(({ name }) => name));
  return [...plan.sources.values()]
    .filter((source) => [source, ...stagesBehind(source)].some(({ name }) => over.has(name)))
    .map(({ name }) => name);
}

function shardHealth(
  attempt: Attempt<ShardStats>,
  shard: number,
  now: number,
): v.InferOutput<typeof shardHealthSchema> {
  if ("error" in attempt) return { shard, error: attempt.error };
  const { flows, keys, lsn, checkpointLsn, busy, nextTimer } = attempt.answer;
  return {
    shard,
    applied: sum(Object.values(flows).map(({ applied }) => applied)),
    keys,
    lsn,
    checkpointLsn,
    busy,
    outbox: outboxOf([attempt.answer], now),
    ...(nextTimer === undefined ? {} : { nextTimer: new Date(nextTimer).toISOString() }),
  };
}

function outboxOf(stats: readonly ShardStats[], now: number): v.InferOutput<typeof outboxSchema> {
  const ages = stats.flatMap(({ outbox }) => ageOf(outbox.oldest, now) ?? []);
  return {
    segments: sum(stats.map(({ outbox }) => outbox.segments)),
    bytes: sum(stats.map(({ outbox }) => outbox.bytes)),
    oldestAgeMs: ages.length === 0 ? null : Math.max(...ages),
  };
}

function sinkOf(stats: readonly ShardStats[]): v.InferOutput<typeof sinkSchema> {
  const of = (value: (sink: NonNullable<ShardStats["sink"]>) => number) =>
    sum(stats.map(({ sink }) => (sink === undefined ? 0 : value(sink))));
  return {
    buffered: of(({ buffered }) => buffered),
    bytes: of(({ bytes }) => bytes),
    delivered: of(({ delivered }) => delivered),
    discarded: of(({ discarded }) => discarded),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
