/** MemoryQueue: a full queue makes its senders wait, in memory's own order. */
import { expect, test } from "vitest";
import { VirtualClock } from "../../src/clock.ts";
import { MemoryQueue } from "../../src/engine/memory-queue.ts";

const tick = () => new Promise((resolve) => setImmediate(resolve));

test("send waits while there is no room, and no longer", async () => {
  const queue = new MemoryQueue(2);
  await queue.send(["1", "2"]);
  let sent = false;
  const sending = queue.send(["3"]).then(() => {
    sent = true;
  });
  await tick();
  expect([sent, queue.waiting]).toEqual([false, 2]);
  await queue.deliver(1, async (batch) => batch.forEach((delivery) => delivery.ack()));
  await sending;
  expect(queue.waiting).toBe(2);
});

test("more at once than the queue holds goes in when it is empty, instead of never", async () => {
  const queue = new MemoryQueue(2);
  await queue.send(["1", "2", "3"]);
  expect(queue.waiting).toBe(3);
});

test("several senders all get their turn", async () => {
  const queue = new MemoryQueue(1);
  const sending = Promise.all(["1", "2", "3"].map((body) => queue.send([body])));
  const seen: unknown[] = [];
  for (let n = 0; n < 3; n++) {
    await queue.deliver(1, async (batch) => {
      for (const delivery of batch) {
        seen.push(delivery.body);
        delivery.ack();
      }
    });
  }
  await sending;
  expect(seen).toEqual(["1", "2", "3"]);
});

test("deliver waits for a message", async () => {
  const queue = new MemoryQueue();
  const seen: unknown[] = [];
  const delivering = queue.deliver(5, async (batch) => {
    for (const delivery of batch) seen.push(delivery.body);
  });
  await tick();
  expect(seen).toEqual([]);
  await queue.send(["1"]);
  await delivering;
  expect(seen).toEqual(["1"]);
});

test("the backlog says since when its oldest message waits; what is out is not in it", async () => {
  const clock = new VirtualClock(1_000);
  const queue = new MemoryQueue(10, clock);
  await queue.send(["1"]);
  clock.advance(5);
  await queue.send(["2"]);
  expect((await queue.backlog()).oldest).toBe(1_000);
  await queue.deliver(1, async () => {
    expect([queue.size, queue.waiting, (await queue.backlog()).oldest]).toEqual([2, 1, 1_005]);
  });
});
