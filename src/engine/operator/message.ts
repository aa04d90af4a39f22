/** Message: a delivery that could be read, on its way through the operator executor. */
import type { SealedEnvelope, SealedSegment } from "../envelope.ts";
import type { Delivery } from "../event-queue.ts";

export interface Message {
  readonly delivery: Delivery;
  readonly envelope: SealedEnvelope;
  /** Those of the envelope that are still to be applied. */
  readonly segments: readonly SealedSegment[];
}
