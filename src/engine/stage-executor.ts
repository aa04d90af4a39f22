/**
 * StageExecutor: runs the code of stages on what their queues hold.
 *
 * This is the one place where user code runs behind a queue. It may run again for the same event, and come to something
 * else; the stage's shard takes what is committed first and hands it on. A message is acknowledged when everything
 * that it holds is committed.
 */
import type { Clock } from "../clock.ts";
import { EnvelopeError, messageOf } from "../errors.ts";
import { shardOf } from "../hash.ts";
import type { Plan, StagePlan } from "../plan.ts";
import type { SealedSegment } from "./envelope.ts";
import { openEnvelope } from "./envelope.ts";
import type { Delivery } from "./event-queue.ts";
import type { Patience } from "./operator/patience.ts";
import { applyPatiently } from "./operator/patience.ts";
import { retryDelay } from "./operator/retries.ts";
import type { SegmentId } from "./segment.ts";
import { HORIZON } from "./segment.ts";
import type { ShardCall, ShardReply, ShardSegment } from "./shard/protocol.ts";
import { SHARD_CALL_VERSION } from "./shard/protocol.ts";
import { allDone } from "./stage/all-done.ts";
import { Places } from "./stage/places.ts";
import type { RunPorts } from "./stage/segment-run.ts";
import { runSegment } from "./stage/segment-run.ts";
import type { WatermarkClient } from "./watermark/reports.ts";
import { committedOf, report } from "./watermark/reports.ts";

/** How the executor reaches the stage's shards. */
export interface StageClient {
  apply(call: ShardCall): Promise<ShardReply>;
  /** For each segment, the positions that are committed, or `all`. */
  progress(operator: string, shard: number, segments: readonly SegmentId[]): Promise<StageProgress[]>;
}

export type StageProgress = readonly number[] | "all";

export interface StageExecutorOptions {
  readonly plan: Plan;
  readonly shards: StageClient;
  /** Told of what is committed, where something goes by event time. */
  readonly watermarks?: WatermarkClient;
  readonly clock: Clock;
  readonly wait?: (ms: number) => Promise<void>;
  readonly random?: () => number;
  readonly onError?: (error: unknown, about: string) => void;
  /** How long one delivery may work, ms. The platform ends one after 15 minutes. */
  readonly deliveryMs?: number;
}

const DELIVERY_MS = 10 * 60_000;
/** Once more than that it is asked in all. */
const BUSY_TRIES = 19;
const BUSY_MS = 500;

export class StageExecutor {
  readonly options: StageExecutorOptions;

  constructor(options: StageExecutorOptions) {
    this.options = options;
  }

  /** Handles a batch of a stage's queue. Each message is settled by itself. */
  async consume(stage: StagePlan, batch: readonly Delivery[]): Promise<void> {
    const { clock, deliveryMs = DELIVERY_MS } = this.options;
    const places = new Places(stage.concurrency);
    const deadline = clock.now() + deliveryMs;
    await Promise.all(batch.map((delivery) => this.#consume(stage, delivery, places, deadline)));
  }

  async #consume(stage: StagePlan, delivery: Delivery, places: Places, deadline: number): Promise<void> {
    const { plan, onError, random = Math.random } = this.options;
    try {
      const envelope = openEnvelope(delivery.body);
      if (envelope.generation !== plan.generation) {
        throw new EnvelopeError(`generation ${envelope.generation}, this deployment is ${plan.generation}`);
      }
      const { source, segments } = envelope;
      this.#mustBeYoung(segments);
      const ports = this.#ports(stage, delivery, places, deadline);
      const complete = await allDone(segments.map((segment) => this.#segment(stage, source, segment, ports)));
      await this.#closeGaps(stage, source, segments);
      if (complete.every(Boolean)) {
        await report(plan, this.options.watermarks, committedOf(plan, source, segments, stage.name));
        delivery.ack();
      } else delivery.retry({ delaySeconds: 0 });
    } catch (error) {
      onError?.(error, `stage ${stage.name}, message ${delivery.id}`);
      delivery.retry({ delaySeconds: retryDelay(delivery.attempts, messageOf(error) === BUSY, random) });
    }
  }

  /** Past the horizon its shard may have forgotten what it applied: it may be refused, never applied again. */
  #mustBeYoung(segments: readonly SealedSegment[]): void {
    const oldest = this.options.clock.now() - HORIZON;
    if (segments.every(({ arrival }) => arrival >= oldest)) return;
    throw new EnvelopeError("past the horizon: accepted too long ago to tell whether it was applied");
  }

  async #segment(
    stage: StagePlan,
    source: string,
    segment: SealedSegment,
    ports: RunPorts,
  ): Promise<boolean> {
    const part = segment.parts.find(({ operator }) => operator === stage.name);
    if (part !== undefined && part.shards !== stage.shards) {
      throw new EnvelopeError(`routed to ${part.shards} shards, this deployment has ${stage.shards}`);
    }
    const runs = (part?.byShard ?? []).map(({ shard, content }) =>
      runSegment(stage, source, segment, shard, content, ports),
    );
    return (await allDone(runs)).every(Boolean);
  }

  /** Tells the stage's shards of the segments that hold nothing for it. */
  async #closeGaps(stage: StagePlan, source: string, segments: readonly SealedSegment[]): Promise<void> {
    const byShard = new Map<number, ShardSegment[]>();
    for (const { parts, ...segment } of segments) {
      if (parts.some(({ operator }) => operator === stage.name)) continue;
      const shard = shardOf(segment.producer, stage.shards);
      const bare = byShard.get(shard) ?? [];
      byShard.set(shard, bare);
      bare.push({ ...segment, source, anchored: false, content: null });
    }
    await Promise.all([...byShard].map(([shard, bare]) => this.#apply(stage, shard, bare)));
  }

  #ports(stage: StagePlan, { attempts }: Delivery, places: Places, deadline: number): RunPorts {
    const { clock, shards, wait = sleep } = this.options;
    return {
      now: () => clock.now(),
      wait,
      place: () => places.take(),
      deadline,
      commit: (shard, segment) => this.#commit(stage, shard, segment, wait),
      progress: async (shard, segment) => {
        // On the first delivery there is none, or so seldom that to run again is cheaper than to ask.
        if (attempts === 1) return [];
        const [progress = []] = await shards.progress(stage.name, shard, [segment]);
        return progress;
      },
    };
  }

  #apply(
    { name: operator, shards }: StagePlan,
    shard: number,
    segments: readonly ShardSegment[],
    patience?: Patience,
  ): Promise<ShardReply> {
    const { generation } = this.options.plan;
    const call = { v: SHARD_CALL_VERSION, generation, operator, shard, shards, segments };
    return applyPatiently((asked) => this.options.shards.apply(asked), call, patience);
  }

  async #commit(
    stage: StagePlan,
    shard: number,
    segment: ShardSegment,
    wait: (ms: number) => Promise<void>,
  ): Promise<void> {
    const reply = await this.#apply(stage, shard, [segment], {
      tries: BUSY_TRIES,
      wait: () => wait(BUSY_MS),
    });
    if (reply.forgotten.length + reply.unreadable.length > 0) {
      throw new EnvelopeError(`the shard ${stage.name}/${shard} does not take segment ${segment.sequence}`);
    }
    if (reply.busy === true) throw new Error(BUSY);
  }
}

const BUSY = "the stage's shard is busy";

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
