/** TestQueue does what every EventQueue must do, on a clock of its own; and misdelivers only when it is asked to. */
import { expect, test } from "vitest";
import { VirtualClock } from "../../src/clock.ts";
import { Random } from "../../src/testing/random.ts";
import type { TestQueueOptions } from "../../src/testing/test-queue.ts";
import { TestQueue } from "../../src/testing/test-queue.ts";
import { eventQueueSuite } from "../conformance/event-queue.ts";

const batchSize = 4;

function open(options: TestQueueOptions = {}) {
  const clock = new VirtualClock(1_000_000);
  const queue = new TestQueue(clock, options);
  return { clock, queue };
}

eventQueueSuite("TestQueue", { ordered: true, batchSize, exceptions: {} }, () => {
  const { clock, queue } = open();
  return {
    queue,
    async deliver(consume) {
      while (!(await queue.deliver(batchSize, consume))) {
        const due = queue.nextDue();
        // Nothing is there yet: whoever sends it gets a turn.
        if (due === undefined) await new Promise((resolve) => setImmediate(resolve));
        else clock.advance(Math.max(0, due - clock.now()));
      }
    },
  };
});

async function drain(queue: TestQueue): Promise<unknown[][]> {
  const batches: unknown[][] = [];
  const consume = async (batch: Parameters<Parameters<TestQueue["deliver"]>[1]>[0]) => {
    batches.push(batch.map(({ body }) => body));
    for (const delivery of batch) delivery.ack();
  };
  while (await queue.deliver(batchSize, consume));
  return batches;
}

test("what is retried is due when its delay is over, and no sooner", async () => {
  const { clock, queue } = open();
  await queue.send(["a"]);
  await queue.deliver(1, async ([delivery]) => delivery?.retry({ delaySeconds: 30 }));
  expect(queue.nextDue()).toBe(clock.now() + 30_000);
  clock.advance(29_999);
  expect(await drain(queue)).toEqual([]);
  clock.advance(1);
  expect(await drain(queue)).toEqual([["a"]]);
  expect(queue.nextDue()).toBeUndefined();
});

test("duplicates: every message comes twice under one id, and is gone when both are acknowledged", async () => {
  const { queue } = open({ duplicates: true });
  await queue.send(["a", "b"]);
  const seen: string[] = [];
  await queue.deliver(3, async (batch) => {
    for (const delivery of batch) {
      seen.push(`${delivery.id} ${delivery.body}`);
      delivery.ack();
    }
  });
  expect(seen).toEqual(["m1 a", "m1 a", "m2 b"]);
  expect(await drain(queue)).toEqual([["b"]]);
  expect(queue.size).toBe(0);
});

test("a shuffle delivers everything once, out of order, and the same again for its seed", async () => {
  const sent = Array.from({ length: 30 }, (_, n) => `${n}`);
  const shuffled = async (seed: number) => {
    const { queue } = open({ random: new Random(seed) });
    await queue.send(sent);
    return drain(queue);
  };
  const first = await shuffled(1);
  expect(first.flat().sort()).toEqual(sent.toSorted());
  expect(first.flat()).not.toEqual(sent);
  expect(new Set(first.map(({ length }) => length)).size).toBeGreaterThan(1);
  expect(await shuffled(1)).toEqual(first);
  expect(await shuffled(2)).not.toEqual(first);
});
