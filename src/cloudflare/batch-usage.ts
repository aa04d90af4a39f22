/**
 * BatchUsage: what the platform bills for a batch of a queue, as far as its consumer can tell.
 *
 * A message is charged for with its first delivery: to write, read and delete it. What a request to ingest costs is told by
 * its first segment, the one that states its events, when that is delivered for the first time.
 */
import { byteLength } from "../byte-length.ts";
import type { Message } from "../engine/operator/message.ts";
import { ProducerKind } from "../engine/segment.ts";
import type { Usages } from "../engine/usage.ts";
import { addUsage } from "../engine/usage.ts";
import { BILLED_BYTES } from "./prices.ts";

const WRITE_READ_DELETE = 3;

/** The batch is a request to the Worker, and each delivery of a message an operation per 64 KB. */
export function usageOfBatch(messages: readonly { readonly body: unknown; readonly attempts: number }[]) {
  let queue = 0;
  for (const { body, attempts } of messages) {
    queue += unitsOf(body) * (attempts === 1 ? WRITE_READ_DELETE : 1);
  }
  return { requests: 1, queue };
}

/** What a message is billed as. */
export function unitsOf(body: unknown): number {
  const text = typeof body === "string" ? body : (JSON.stringify(body) ?? "");
  // A UTF-16 unit is at most three bytes of UTF-8: only long ones need counting.
  if (text.length * 3 <= BILLED_BYTES) return 1;
  return Math.ceil(byteLength(text) / BILLED_BYTES);
}

/**
 * The requests that brought the messages, by source, what ingest says that it has used besides, and the calls of clients'
 * claims. A claim of what was not claimed before writes a row, of which nobody tells: it is taken to be so with each first
 * delivery.
 */
export function usageOfRequests(messages: readonly Message[]): Usages {
  const usages: Usages = {};
  /** By claim, whether it is a new one. */
  const claims = new Map<string, { source: string; fresh: boolean }>();
  for (const { delivery, envelope, segments } of messages) {
    const { source, fingerprint } = envelope;
    const fresh = delivery.attempts === 1;
    for (const { kind, events, producer, used } of segments) {
      if (fresh && used !== undefined) addUsage(usages, source, used);
      const client = kind === ProducerKind.client;
      if (fresh && events > 0 && (client || kind === ProducerKind.isolate)) {
        addUsage(usages, source, { requests: 1 });
      }
      if (!client) continue;
      const id = `${producer}/${fingerprint}`;
      claims.set(id, { source, fresh: fresh || claims.get(id)?.fresh === true });
    }
  }
  for (const { source, fresh } of claims.values()) {
    addUsage(usages, source, { objects: 1, written: fresh ? 1 : 0 });
  }
  return usages;
}
