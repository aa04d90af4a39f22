/** What every EventQueue and its deliveries must do; run against each implementation that can be driven by hand. */
import { describe, expect, test } from "vitest";
import type { Consumer, Delivery, EventQueue } from "../../src/engine/event-queue.ts";

export interface QueueUnderTest {
  readonly queue: EventQueue;
  /** Hands at most `max` waiting messages over; resolves when the consumer has. */
  deliver(max: number, consume: Consumer): Promise<void>;
}

export interface EventQueueTraits {
  /** Whether messages come in the order in which they were sent, and a retried one last. */
  readonly ordered: boolean;
}

export function eventQueueSuite(name: string, traits: EventQueueTraits, open: () => QueueUnderTest): void {
  const take = async (under: QueueUnderTest, max: number, act: (delivery: Delivery, n: number) => void) => {
    const seen: { id: string; body: unknown; attempts: number }[] = [];
    await under.deliver(max, async (batch) => {
      batch.forEach((delivery, n) => {
        seen.push({ id: delivery.id, body: delivery.body, attempts: delivery.attempts });
        act(delivery, n);
      });
    });
    return seen;
  };
  const ack = (delivery: Delivery) => delivery.ack();

  describe(`EventQueue: ${name}`, () => {
    test("every message is delivered once with its text, and is gone when it is acknowledged", async () => {
      const under = open();
      const sent = ["a", "é😀\0", "", "a"];
      await under.queue.send(sent);
      const seen = await take(under, 10, ack);
      expect(seen.map(({ body }) => body).sort()).toEqual([...sent].sort());
      if (traits.ordered) expect(seen.map(({ body }) => body)).toEqual(sent);
      expect(new Set(seen.map(({ id }) => id)).size).toBe(4);
      expect(await under.queue.backlog()).toEqual({ messages: 0, bytes: 0 });
    });

    test("a batch holds no more than asked for", async () => {
      const under = open();
      await under.queue.send(["1", "2", "3"]);
      expect((await take(under, 2, ack)).length).toBe(2);
      expect((await take(under, 2, ack)).length).toBe(1);
    });

    test("a retried or unsettled message comes again, with its id and one more attempt", async () => {
      const under = open();
      await under.queue.send(["retried", "unsettled", "done"]);
      const first = await take(under, 3, (delivery) => {
        if (delivery.body === "retried") delivery.retry({ delaySeconds: 0 });
        if (delivery.body === "done") delivery.ack();
      });
      expect(first.every(({ attempts }) => attempts === 1)).toBe(true);
      const again = await take(under, 3, ack);
      expect(again.map(({ body, attempts }) => [body, attempts]).sort()).toEqual([
        ["retried", 2],
        ["unsettled", 2],
      ]);
      const ids = new Map(first.map(({ body, id }) => [body, id]));
      for (const { body, id } of again) expect(id).toBe(ids.get(body));
      expect((await under.queue.backlog()).messages).toBe(0);
    });

    test("the first of ack and retry counts", async () => {
      const under = open();
      await under.queue.send(["acked first", "retried first"]);
      await take(under, 2, (delivery) => {
        const order = [() => delivery.ack(), () => delivery.retry()];
        for (const act of delivery.body === "acked first" ? order : order.toReversed()) act();
      });
      expect((await take(under, 2, ack)).map(({ body }) => body)).toEqual(["retried first"]);
    });

    test("a consumer that throws settles what it settled, and the rest comes again", async () => {
      const under = open();
      await under.queue.send(["done", "rest"]);
      await under
        .deliver(2, async (batch) => {
          for (const delivery of batch) if (delivery.body === "done") delivery.ack();
          throw new Error("consumer");
        })
        .catch(() => undefined);
      expect((await take(under, 2, ack)).map(({ body, attempts }) => [body, attempts])).toEqual([
        ["rest", 2],
      ]);
    });

    test("settling after the batch is over changes nothing", async () => {
      const under = open();
      await under.queue.send(["late"]);
      let late: Delivery | undefined;
      await take(under, 1, (delivery) => {
        late = delivery;
      });
      late?.ack();
      expect((await take(under, 1, ack)).map(({ attempts }) => attempts)).toEqual([2]);
    });

    test("the backlog counts what waits, in bytes of UTF-8", async () => {
      const under = open();
      expect(await under.queue.backlog()).toEqual({ messages: 0, bytes: 0 });
      await under.queue.send(["abc", "é"]);
      expect(await under.queue.backlog()).toMatchObject({ messages: 2, bytes: 5 });
    });
  });
}
