/** CloudflareQueue over a real queue in workerd: the contract, and what of it only the platform has. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeEnvelope } from "../../src/engine/envelope.ts";
import type { Consumer } from "../../src/engine/event-queue.ts";
import { ProducerKind } from "../../src/engine/segment.ts";
import { QueueError } from "../../src/errors.ts";
import { BATCH_SIZE, LocalCloudflareQueue, MAX_RETRIES } from "../conformance/cloudflare-queue.ts";
import type { Seen } from "../conformance/event-queue.ts";
import { eventQueueSuite, rest, take } from "../conformance/event-queue.ts";
import { NOW, P } from "../engine/support.ts";

let local: LocalCloudflareQueue;

beforeAll(async () => {
  local = await LocalCloudflareQueue.start();
});

afterAll(() => local?.stop());

const traits = {
  // The local queue keeps the order; the platform promises none.
  ordered: false,
  batchSize: BATCH_SIZE,
  exceptions: {
    "sends nothing": "the platform takes no empty batch",
    "keeps lone surrogates": "the platform sends UTF-8, which has none: U+FFFD arrives",
    "keeps NUL": "workerd cuts a text off at its first NUL",
    "retries what is unsettled": "the platform acknowledges what a consumer that returns said nothing about",
    "keeps acknowledgements of a consumer that throws": "the local queue retries all; the platform does not",
    "ignores late calls": "the platform throws: a message belongs to the call that it was handed to",
  },
};

eventQueueSuite("CloudflareQueue", traits, () => local.emptied());

describe("CloudflareQueue and the platform", () => {
  // Two exceptions above are about characters; JSON escapes them, and nothing but JSON is sent.
  it("carry an envelope with any key as it was", async () => {
    const under = await local.emptied();
    const records = ["\0", 1, 1, "\ud83d", 1, 1, "é😀", 1, 1];
    const parts = [{ operator: "views", shards: 1, byShard: [{ shard: 0, records, dropped: 0, dead: [] }] }];
    const segment = {
      producer: P,
      sequence: 0,
      kind: ProducerKind.isolate,
      arrival: NOW,
      events: 3,
      before: 0,
      parts,
    };
    const sent = encodeEnvelope({ generation: 1, fingerprint: "", source: "clicks", segments: [segment] });
    await under.queue.send([sent]);
    const [seen] = await take(under, 1);
    expect(seen?.body).toBe(sent);
  });

  it("agree that a delivery that nothing is said about is acknowledged", async () => {
    const under = await local.emptied();
    await under.queue.send(["unsettled"]);
    await take(under, 1, () => undefined);
    expect(await rest(under)).toEqual([]);
  });

  it.each([
    ["101 messages", Array(101).fill("x")],
    ["a message of 128,001 bytes", ["neighbour", "x".repeat(128_001)]],
    ["messages of more bytes than a batch may have", Array(3).fill("x".repeat(96_001))],
  ])("refuse %s whole", async (_, messages) => {
    const under = await local.emptied();
    await expect(under.queue.send(messages)).rejects.toBeInstanceOf(QueueError);
    expect(await rest(under)).toEqual([]);
  });

  it("tell from the answer to a send what waits", async () => {
    const under = await local.emptied();
    await under.queue.send(["out"]);
    await take(under, 1, async (delivery) => {
      await under.queue.send(["abc", "é"]);
      await under.queue.send(["more"]);
      // The local queue tells what it held before.
      expect(under.heard).toEqual({ messages: 2, bytes: 5, oldest: expect.any(Number) });
      delivery.ack();
    });
    expect((await rest(under)).sort()).toEqual(["abc", "more", "é"]);
  });

  it("give a message that failed too often to the dead-letter queue, once, with its id and text", async () => {
    const under = await local.emptied();
    await under.queue.send(["bad 😀"]);
    const seen: Seen[] = [];
    while (seen.length <= MAX_RETRIES) seen.push(...(await take(under, 1, (delivery) => delivery.retry())));
    expect(seen.map(({ attempts }) => attempts)).toEqual([1, 2, 3, 4]);
    const dead = { deliver: (consume: Consumer) => under.deliverDead(consume) };
    expect(await take(dead, 1)).toEqual([{ ...seen[0], attempts: 1 }]);
    expect(await rest(under)).toEqual([]);
  });
});
