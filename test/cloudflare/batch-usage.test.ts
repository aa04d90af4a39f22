/** BatchUsage, by hand: what a batch, its retries and the requests in it are billed as. */
import { expect, test } from "vitest";
import { unitsOf, usageOfBatch, usageOfRequests } from "../../src/cloudflare/batch-usage.ts";
import type { SealedSegment } from "../../src/engine/envelope.ts";
import type { Message } from "../../src/engine/operator/message.ts";
import { ProducerKind } from "../../src/engine/segment.ts";

test("a message is an operation per 64,000 bytes begun, in UTF-8", () => {
  expect([0, 1, 21_333, 64_000, 64_001, 128_000].map((n) => unitsOf("x".repeat(n)))).toEqual([
    1, 1, 1, 1, 2, 2,
  ]);
  expect([21_333, 21_334].map((n) => unitsOf("€".repeat(n)))).toEqual([1, 2]);
});

test("a batch is a request; a message is written, read and deleted once, and read again with each retry", () => {
  const body = "[]";
  const big = "x".repeat(100_000);
  expect(usageOfBatch([{ body, attempts: 1 }])).toEqual({ requests: 1, queue: 3 });
  expect(
    usageOfBatch([
      { body, attempts: 1 },
      { body: big, attempts: 1 },
    ]),
  ).toEqual({ requests: 1, queue: 9 });
  expect(
    usageOfBatch([
      { body, attempts: 2 },
      { body: big, attempts: 7 },
    ]),
  ).toEqual({ requests: 1, queue: 3 });
});

const A = "a".repeat(32);
const B = "b".repeat(32);

function segment(producer: string, sequence: number, events: number, kind: ProducerKind): SealedSegment {
  return { producer, sequence, events, kind, arrival: 0, before: 0, parts: [] };
}

function message(attempts: number, ...segments: SealedSegment[]): Message {
  const delivery = { id: "", body: "", attempts, ack: () => undefined, retry: () => undefined };
  return { delivery, envelope: { generation: 1, fingerprint: "f", source: "clicks", segments }, segments };
}

test("a request is told by the segment with its events, once, whatever shares a message or takes several", () => {
  const { isolate, channel, redrive } = ProducerKind;
  const shared = message(1, segment(A, 0, 5, isolate), segment(A, 1, 1, isolate));
  // The events of a request are all stated by its first segment.
  const split = [message(1, segment(A, 2, 900, isolate)), message(1, segment(A, 3, 0, isolate))];
  const again = message(2, segment(A, 4, 1, isolate));
  const inside = message(1, segment(B, 0, 3, channel), segment(B, 1, 3, redrive));
  expect(usageOfRequests([shared, ...split, again, inside])).toEqual({ clicks: { requests: 3 } });
});

test("what ingest has used besides is counted with the segment that says it, when that is delivered first", () => {
  const told = { ...segment(A, 0, 1, ProducerKind.isolate), used: { requests: 3, objects: 2 } };
  expect(usageOfRequests([message(1, told)])).toEqual({ clicks: { requests: 4, objects: 2 } });
  expect(usageOfRequests([message(2, told)])).toEqual({});
});

test("a client's segments are claimed with a call a batch, which writes a row unless all have been delivered before", () => {
  const { client } = ProducerKind;
  const once = message(1, segment(A, 0, 5, client));
  const more = message(1, segment(A, 1, 5, client), segment(B, 0, 5, client));
  expect(usageOfRequests([once, more])).toEqual({ clicks: { requests: 3, objects: 2, written: 2 } });
  expect(usageOfRequests([message(2, segment(A, 0, 5, client))])).toEqual({ clicks: { objects: 1 } });
});
