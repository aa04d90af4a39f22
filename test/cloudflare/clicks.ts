/** Makes what ingest would send: messages of clicks, under the identities that a test names. */
import { MEMORY_LIMITS } from "../../src/engine/memory-queue.ts";
import type { SegmentTime } from "../../src/engine/segment.ts";
import { ProducerKind } from "../../src/engine/segment.ts";
import { SourceExecutor } from "../../src/engine/source-executor.ts";
import type { SourcePlan } from "../../src/index.ts";
import { plan } from "../../workers/jobs/index.ts";

export interface Numbered {
  readonly sequence: number;
  readonly producer?: string;
  readonly kind?: ProducerKind;
  readonly fingerprint?: string;
  readonly arrival?: number;
  readonly time?: SegmentTime;
}

/** A producer id that says which test it belongs to. */
export function producerOf(test: number): string {
  return test.toString(16).padStart(32, "0");
}

/** One message with these clicks. */
export function message(urls: readonly string[], numbered: Numbered): string {
  const { producer = producerOf(1), sequence, kind = ProducerKind.isolate, arrival = Date.now() } = numbered;
  const { time } = numbered;
  const executor = new SourceExecutor(
    plan,
    plan.sources.get("clicks") as SourcePlan,
    numbered.fingerprint ?? plan.fingerprint,
  );
  const reading = executor.read({ values: urls }, `${producer}.${sequence}`, arrival);
  const identity = { producer, sequence, kind, arrival, before: 0, single: true, ...(time && { time }) };
  const [only] = executor.pack(reading, identity, MEMORY_LIMITS).messages;
  if (only === undefined) throw new Error("nothing to send");
  return only;
}
