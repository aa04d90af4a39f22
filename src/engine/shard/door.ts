/** Door: what event time had come to where a segment came in; what was too late there is late wherever it is. */
import type { OperatorEventTime } from "../../plan.ts";
import { ProducerKind } from "../segment.ts";
import type { ShardCounters } from "./counters.ts";
import { watermarkOf } from "./counters.ts";
import type { ShardSegment } from "./protocol.ts";

/**
 * Up to where event time has come for a segment: to the shard's watermark, or to the door that the segment came in by. The
 * frontier keeps the first behind the second for whatever is on time, so what the queue does decides nothing.
 */
export function reachedBy(
  { doors }: OperatorEventTime,
  { source, kind, arrival, front }: ShardSegment,
  counters: Readonly<ShardCounters>,
): number {
  const watermark = watermarkOf(counters);
  const bound = doors?.get(source);
  // A dead letter that is sent again has been at the door before.
  if (bound === undefined || kind === ProducerKind.redrive) return watermark;
  return Math.max(watermark, (front ?? arrival) - bound - 1);
}
