/** Group commit: who shares a message, and what each is told. */
import { describe, expect, it } from "vitest";
import { GroupCommit } from "../../../src/cloudflare/ingest/group-commit.ts";
import { decodeEnvelope, encodeSegment, joinEnvelope } from "../../../src/engine/envelope.ts";
import type { EventQueue } from "../../../src/engine/event-queue.ts";
import { MEMORY_LIMITS } from "../../../src/engine/memory-queue.ts";
import type { Segment } from "../../../src/engine/segment.ts";
import { ProducerKind } from "../../../src/engine/segment.ts";
import type { Packed } from "../../../src/engine/source/packer.ts";
import { QueueError } from "../../../src/errors.ts";

const HEADER = { generation: 1, fingerprint: "f", source: "clicks" };
const waitUntil = () => undefined;

function packed(sequence: number, padding = 0): Packed {
  const segment: Segment = {
    producer: "a".repeat(32),
    sequence,
    kind: ProducerKind.isolate,
    arrival: 1,
    events: 1,
    before: sequence,
    parts: [
      {
        operator: "o",
        shards: 1,
        byShard: [{ shard: 0, records: ["x".repeat(padding), 1, 1], dropped: 0, dead: [] }],
      },
    ],
  };
  const encoded = [encodeSegment(segment)];
  const message = joinEnvelope(HEADER, encoded);
  return { segments: [segment], encoded, messages: [message], bytes: message.length };
}

/** A queue whose sends end when the test says so. */
class SlowQueue implements EventQueue {
  readonly limits = MEMORY_LIMITS;
  readonly sent: string[][] = [];
  readonly ends: { resolve: () => void; reject: (error: unknown) => void }[] = [];

  send(messages: readonly string[]): Promise<void> {
    this.sent.push([...messages]);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.ends.push({ resolve, reject });
    return promise;
  }

  async backlog() {
    return { messages: 0, bytes: 0 };
  }

  get sequences(): number[][] {
    return this.sent.map((messages) =>
      messages.flatMap((message) => decodeEnvelope(message).segments.map(({ sequence }) => sequence)),
    );
  }
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1));
}

describe("group commit", () => {
  it("sends a request that finds nothing under way at once, by itself", async () => {
    const queue = new SlowQueue();
    const done = new GroupCommit(10_000).send(packed(0), HEADER, queue, waitUntil);
    expect(queue.sequences).toEqual([[0]]);
    queue.ends[0]?.resolve();
    await done;
  });

  it("lets those that come meanwhile share one message, each with its own segment", async () => {
    const queue = new SlowQueue();
    const group = new GroupCommit(10_000);
    const answered: number[] = [];
    const all = [0, 1, 2, 3, 4].map((n) =>
      group.send(packed(n), HEADER, queue, waitUntil).then(() => answered.push(n)),
    );
    expect(queue.sequences).toEqual([[0]]);
    queue.ends[0]?.resolve();
    await until(() => queue.sent.length === 2);
    expect(queue.sequences).toEqual([[0], [1, 2, 3, 4]]);
    // Nobody is told before the send has ended.
    expect(answered).toEqual([0]);
    queue.ends[1]?.resolve();
    await Promise.all(all);
    expect(answered.toSorted()).toEqual([0, 1, 2, 3, 4]);
  });

  it("lets nobody slip past a group that is about to go", async () => {
    const queue = new SlowQueue();
    const group = new GroupCommit(10_000);
    const all = [0, 1].map((n) => group.send(packed(n), HEADER, queue, waitUntil));
    queue.ends[0]?.resolve();
    await all[0];
    // Nothing is under way any more, and the group has not gone yet.
    all.push(group.send(packed(2), HEADER, queue, waitUntil));
    expect(queue.sequences).toEqual([[0]]);
    await until(() => queue.sent.length === 2);
    expect(queue.sequences).toEqual([[0], [1, 2]]);
    queue.ends[1]?.resolve();
    await Promise.all(all);
  });

  it("does not wait for a slow send longer than it may linger", async () => {
    const queue = new SlowQueue();
    const group = new GroupCommit(5);
    const first = group.send(packed(0), HEADER, queue, waitUntil);
    const second = group.send(packed(1), HEADER, queue, waitUntil);
    await until(() => queue.sent.length === 2);
    queue.ends[1]?.resolve();
    await second;
    queue.ends[0]?.resolve();
    await first;
  });

  it("tells all of a group what its send came to", async () => {
    const queue = new SlowQueue();
    const group = new GroupCommit(10_000);
    const all = [0, 1, 2].map((n) => group.send(packed(n), HEADER, queue, waitUntil));
    queue.ends[0]?.resolve();
    await until(() => queue.sent.length === 2);
    queue.ends[1]?.reject(new QueueError("no", "unknown"));
    const outcomes = await Promise.allSettled(all);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected"]);
  });

  it("sends a copy under the same identity when the others take too long", async () => {
    const queue = new SlowQueue();
    const group = new GroupCommit(1);
    const all = [0, 1, 2].map((n) => group.send(packed(n), HEADER, queue, waitUntil));
    await until(() => queue.sent.length === 3);
    expect(queue.sequences).toEqual([[0], [1, 2], [2]]);
    for (const { resolve } of queue.ends) resolve();
    await Promise.all(all);
  });

  it("lets nobody join a group that one has given up on", async () => {
    const queue = new SlowQueue();
    const group = new GroupCommit(100_000);
    const all = [0, 1].map((n) => group.send(packed(n), HEADER, queue, waitUntil));
    all.push(group.send(packed(2), HEADER, queue, waitUntil));
    // The first send never ends, so the group of 1 and 2 does not go; 2 gives up on it after a while.
    await until(() => queue.sent.length === 2);
    expect(queue.sequences).toEqual([[0], [2]]);
    all.push(group.send(packed(3), HEADER, queue, waitUntil));
    for (let ended = 0; ended < 4; ended++) {
      await until(() => ended < queue.ends.length);
      queue.ends[ended]?.resolve();
    }
    await Promise.all(all);
    expect(queue.sequences.slice(2).toSorted()).toEqual([[1, 2], [3]]);
  });

  it("fills messages one after the other, gives what is large one of its own, and sends all of them at once", async () => {
    const queue = new SlowQueue();
    const group = new GroupCommit(10_000);
    const all = Array.from({ length: 8 }, (_, n) => group.send(packed(n, 15_000), HEADER, queue, waitUntil));
    all.push(group.send(packed(8, 30_000), HEADER, queue, waitUntil));
    expect(queue.sequences).toEqual([[0]]);
    queue.ends[0]?.resolve();
    await until(() => queue.sent.length === 2);
    expect(
      queue.sent[1]?.map((text) => decodeEnvelope(text).segments.map(({ sequence }) => sequence)),
    ).toEqual([[1, 2, 3, 4], [5, 6, 7], [8]]);
    for (const message of queue.sent.flat()) expect(message.length).toBeLessThan(64_000);
    queue.ends[1]?.resolve();
    await Promise.all(all);
  });

  it("starts another send when one is full, which then waits for nobody", async () => {
    const queue = new SlowQueue();
    const group = new GroupCommit(10_000);
    const size = Math.floor(MEMORY_LIMITS.sendBytes / 3);
    const all = Array.from({ length: 6 }, (_, n) => group.send(packed(n, size), HEADER, queue, waitUntil));
    // The first is still under way.
    await until(() => queue.sent.length === 3);
    expect(queue.sequences).toEqual([[0], [1, 2], [3, 4]]);
    for (const { resolve } of queue.ends) resolve();
    await until(() => queue.sent.length === 4);
    expect(queue.sequences.at(-1)).toEqual([5]);
    queue.ends[3]?.resolve();
    await Promise.all(all);
    const bytes = queue.sent.map((messages) => messages.reduce((sum, text) => sum + text.length, 0));
    expect(Math.max(...bytes)).toBeLessThanOrEqual(MEMORY_LIMITS.sendBytes);
  });

  it("is off at 0", async () => {
    const queue = new SlowQueue();
    const group = new GroupCommit(0);
    const all = [0, 1, 2].map((n) => group.send(packed(n), HEADER, queue, waitUntil));
    expect(queue.sequences).toEqual([[0], [1], [2]]);
    for (const { resolve } of queue.ends) resolve();
    await Promise.all(all);
  });
});
