/** Advance: the watermark of a shard moves on: what is due fires, and it says how far its outputs have come. */
import type { Plan } from "../../plan.ts";
import { watermarkOf } from "./counters.ts";
import { channelProducer, destinationOf, parseDestination } from "./outbox.ts";
import type { AdvanceCall, AdvanceReply } from "./protocol.ts";
import { pullWatermark } from "./pull.ts";
import type { Shard } from "./shard.ts";
import { fireEventTimers, nextTimerOf } from "./timers.ts";

/**
 * Moves the shard's watermark to what the call says, if it can: not while it is busy, nor while a stage misses something
 * that was queued for it.
 *
 * @throws ShardRefusedError as `Shard.check` and `fireEventTimers` do.
 */
export function advance(plan: Plan, shard: Shard, call: AdvanceCall): AdvanceReply {
  shard.check(call);
  const { operator } = shard.options;
  const { watermark, required = {} } = call;
  while (fireEventTimers(shard));
  if (!shard.busy && hasCommitted(shard, required)) {
    if (!operator.eventTime.uses) shard.passed = Math.max(shard.passed, watermark);
    else if (watermark > watermarkOf(shard.counters)) {
      for (let more = fireEventTimers(shard, watermark); more; ) more = fireEventTimers(shard);
    }
  }
  const wanted = nextTimerOf(shard, "event");
  shard.wanted = wanted;
  const queued = queuedBy(plan, shard);
  return {
    watermark: outputWatermark(plan, shard),
    ...(wanted === undefined ? {} : { wanted }),
    ...(Object.keys(queued).length === 0 ? {} : { queued }),
  };
}

/** Everything that the shard will ever emit with this event time or an earlier one has been committed by whom it was for. */
function outputWatermark(plan: Plan, shard: Shard): number {
  const { operator } = shard.options;
  const own =
    operator.kind === "pull"
      ? pullWatermark(shard)
      : operator.eventTime.uses
        ? watermarkOf(shard.counters)
        : shard.passed;
  const timer = nextTimerOf(shard, "event") ?? Number.POSITIVE_INFINITY;
  const output = shard.outbox.earliest((name) => plan.operators.get(name)?.eventTime.watermarked === true);
  return Math.min(own, timer - 1, (output ?? Number.POSITIVE_INFINITY) - 1);
}

function hasCommitted(shard: Shard, required: Readonly<Record<string, number>>): boolean {
  return Object.entries(required).every(
    ([producer, segments]) => segments === 0 || (shard.applied.record(producer)?.prefix ?? 0) >= segments,
  );
}

/** What has gone to the queues of stages: that they have it is confirmed when it is queued, not when it is committed. */
function queuedBy(plan: Plan, shard: Shard): Record<string, Record<string, number>> {
  const { operator, shard: number } = shard.options;
  const queued: Record<string, Record<string, number>> = {};
  for (const [destination, { next }] of Object.entries(shard.counters.channels ?? {})) {
    const stage = plan.operators.get(parseDestination(destination).operator);
    if (stage?.kind !== "stage" || !stage.eventTime.watermarked) continue;
    const producer = channelProducer(plan.generation, destinationOf(operator.name, number), destination);
    queued[destination] = { [producer]: next };
  }
  return queued;
}
