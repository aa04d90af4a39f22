/** What every EventQueue and its deliveries must do; run against each implementation that can be driven by hand. */
import { describe, expect, test } from "vitest";
import type { Consumer, Delivery, EventQueue } from "../../src/engine/event-queue.ts";
import { QueueError } from "../../src/errors.ts";

export interface QueueUnderTest {
  readonly queue: EventQueue;
  /**
   * Waits for messages and hands the next batch over. What is sent meanwhile waits. Resolves when the consumer has;
   * rejects with what it threw.
   */
  deliver(consume: Consumer): Promise<void>;
}

/** Promises that not every queue keeps. */
export type Optional =
  | "sends nothing"
  | "keeps lone surrogates"
  | "keeps NUL"
  | "retries what is unsettled"
  | "keeps acknowledgements of a consumer that throws"
  | "delays retries"
  | "ignores late calls";

export interface EventQueueTraits {
  /** Whether messages come in the order in which they were sent, and a retried one last. */
  readonly ordered: boolean;
  /** The most messages in a batch. */
  readonly batchSize: number;
  /** The promises that it does not keep, each with the reason. */
  readonly exceptions: Partial<Record<Optional, string>>;
}

export interface Seen {
  readonly id: string;
  readonly body: unknown;
  readonly attempts: number;
}

type Act = (delivery: Delivery) => void | Promise<void>;

const ack: Act = (delivery) => delivery.ack();

/** Takes batches until `count` deliveries have come, and acts on each. With `thrown`, the consumer throws it in the end. */
export async function take(
  under: Pick<QueueUnderTest, "deliver">,
  count: number,
  act: Act = ack,
  thrown?: Error,
): Promise<Seen[]> {
  const seen: Seen[] = [];
  while (seen.length < count) {
    const delivered = under.deliver(async (batch) => {
      for (const delivery of batch) {
        seen.push({ id: delivery.id, body: delivery.body, attempts: delivery.attempts });
        await act(delivery);
      }
      if (thrown !== undefined) throw thrown;
    });
    await (thrown === undefined ? delivered : expect(delivered).rejects.toBe(thrown));
  }
  return seen;
}

/** Takes and acknowledges all that still comes, as texts. */
export async function rest(under: QueueUnderTest): Promise<unknown[]> {
  const seen: unknown[] = [];
  // A queue may put what is to come again back only after the consumer is done, but before its next batch is.
  const marks = ["the first mark", "the second mark"];
  for (const mark of marks) {
    await under.queue.send([mark]);
    while (!seen.includes(mark)) seen.push(...(await take(under, 1)).map(({ body }) => body));
  }
  return seen.filter((body) => !marks.includes(body as string));
}

const bodiesOf = (seen: readonly Seen[]) => seen.map(({ body }) => body);
const attemptsOf = (seen: readonly Seen[]) => seen.map(({ body, attempts }) => [body, attempts]).sort();

/** A text of so many bytes of UTF-8, most of them in characters of two, that starts with its number. */
function textOf(bytes: number, n = 0): string {
  const start = String(n).padEnd(bytes % 2 === 0 ? 4 : 5);
  return start + "é".repeat((bytes - start.length) / 2);
}

/** `count` texts of `bytes` in all. */
function textsOf(count: number, bytes: number): string[] {
  const each = Math.floor(bytes / count);
  return Array.from({ length: count }, (_, n) => textOf(n === 0 ? bytes - each * (count - 1) : each, n));
}

export function eventQueueSuite(
  name: string,
  traits: EventQueueTraits,
  open: () => QueueUnderTest | Promise<QueueUnderTest>,
): void {
  const check = (what: string, body: (under: QueueUnderTest) => Promise<void>, optional?: Optional) =>
    test(what, async ({ skip }) => {
      const reason = optional === undefined ? undefined : traits.exceptions[optional];
      skip(reason !== undefined, reason);
      await body(await open());
    });

  describe(`EventQueue: ${name}`, () => {
    check("every message is delivered once, and is gone when it is acknowledged", async (under) => {
      const sent = ["a", "b", "c", "a"];
      await under.queue.send(sent);
      const seen = await take(under, 4);
      expect(bodiesOf(seen).sort()).toEqual(sent.toSorted());
      if (traits.ordered) expect(bodiesOf(seen)).toEqual(sent);
      expect(new Set(seen.map(({ id }) => id)).size).toBe(4);
      expect(await under.queue.backlog()).toEqual({ messages: 0, bytes: 0 });
      expect(await rest(under)).toEqual([]);
    });

    check("well-formed text arrives as it was", async (under) => {
      const sent = ["", "é😀\u0001", "\ufeffa", "\uffff", "\r\n\u2028", '"\\u0000'];
      await under.queue.send(sent);
      expect(bodiesOf(await take(under, sent.length)).sort()).toEqual(sent.toSorted());
    });

    check(
      "text with NUL arrives as it was",
      async (under) => {
        await under.queue.send(["\0", "a\0b"]);
        expect(bodiesOf(await take(under, 2)).sort()).toEqual(["\0", "a\0b"]);
      },
      "keeps NUL",
    );

    check(
      "text that is not well-formed arrives as it was",
      async (under) => {
        await under.queue.send(["\ud83d"]);
        expect(bodiesOf(await take(under, 1))).toEqual(["\ud83d"]);
      },
      "keeps lone surrogates",
    );

    check(
      "a send of nothing delivers nothing",
      async (under) => {
        await under.queue.send([]);
        expect(await rest(under)).toEqual([]);
      },
      "sends nothing",
    );

    check("as much as its limits allow arrives whole", async (under) => {
      const { messages, messageBytes, sendBytes } = under.queue.limits;
      const largest = textOf(messageBytes);
      await under.queue.send([largest]);
      expect(bodiesOf(await take(under, 1))).toEqual([largest]);
      for (const count of [messages, Math.ceil(sendBytes / messageBytes)]) {
        const sent = textsOf(count, sendBytes);
        await under.queue.send(sent);
        expect(bodiesOf(await take(under, count)).sort()).toEqual(sent.sort());
      }
    });

    check("of more than its limits allow, all or nothing arrives", async (under) => {
      const { messages, messageBytes, sendBytes } = under.queue.limits;
      for (const sent of [
        textsOf(messages + 1, sendBytes),
        [textOf(messageBytes + 1), "neighbour"],
        textsOf(messages, sendBytes + 1),
      ]) {
        const error: unknown = await under.queue.send(sent).catch((error: unknown) => error);
        if (error !== undefined) expect(error).toBeInstanceOf(QueueError);
        expect((await rest(under)).sort()).toEqual(error === undefined ? sent.sort() : []);
      }
    });

    check("a batch holds no more than it may", async (under) => {
      await under.queue.send(textsOf(2 * traits.batchSize + 1, 1000));
      const sizes: number[] = [];
      for (let left = 2 * traits.batchSize + 1; left > 0; left -= sizes.at(-1) as number) {
        await under.deliver(async (batch) => {
          sizes.push(batch.length);
          for (const delivery of batch) delivery.ack();
        });
      }
      expect(Math.max(...sizes)).toBeLessThanOrEqual(traits.batchSize);
    });

    check("a retried message comes again, with its id and one more attempt", async (under) => {
      await under.queue.send(["retried", "done"]);
      const both = await take(under, 2, (delivery) =>
        delivery.body === "retried" ? delivery.retry({ delaySeconds: 0 }) : delivery.ack(),
      );
      expect(attemptsOf(both)).toEqual([
        ["done", 1],
        ["retried", 1],
      ]);
      const first = both.find(({ body }) => body === "retried");
      expect(await take(under, 1, (delivery) => delivery.retry())).toEqual([{ ...first, attempts: 2 }]);
      expect(await take(under, 1)).toEqual([{ ...first, attempts: 3 }]);
      expect(await rest(under)).toEqual([]);
    });

    check(
      "an unsettled message comes again",
      async (under) => {
        await under.queue.send(["unsettled", "done"]);
        await take(under, 2, (delivery) => (delivery.body === "done" ? delivery.ack() : undefined));
        expect(attemptsOf(await take(under, 1))).toEqual([["unsettled", 2]]);
        expect(await rest(under)).toEqual([]);
      },
      "retries what is unsettled",
    );

    check(
      "what is retried with a delay comes after what waits",
      async (under) => {
        await under.queue.send(["later"]);
        await take(under, 1, async (delivery) => {
          await under.queue.send(["sooner"]);
          delivery.retry({ delaySeconds: 1 });
        });
        expect(attemptsOf(await take(under, 1))).toEqual([["sooner", 1]]);
        expect(attemptsOf(await take(under, 1))).toEqual([["later", 2]]);
      },
      "delays retries",
    );

    check("the first of ack and retry counts", async (under) => {
      await under.queue.send(["acked first", "retried first"]);
      await take(under, 2, (delivery) => {
        const order = [() => delivery.ack(), () => delivery.retry()];
        for (const act of delivery.body === "acked first" ? order : order.toReversed()) act();
      });
      expect(attemptsOf(await take(under, 1))).toEqual([["retried first", 2]]);
      expect(await rest(under)).toEqual([]);
    });

    check("a consumer that throws gets again what it did not settle", async (under) => {
      await under.queue.send(["one", "two"]);
      await take(under, 2, () => undefined, new Error("consumer"));
      expect(attemptsOf(await take(under, 2))).toEqual([
        ["one", 2],
        ["two", 2],
      ]);
      expect(await rest(under)).toEqual([]);
    });

    check(
      "a consumer that throws does not get again what it acknowledged",
      async (under) => {
        await under.queue.send(["done", "left"]);
        const some: Act = (delivery) => (delivery.body === "done" ? delivery.ack() : undefined);
        await take(under, 2, some, new Error("consumer"));
        expect(attemptsOf(await take(under, 1))).toEqual([["left", 2]]);
        expect(await rest(under)).toEqual([]);
      },
      "keeps acknowledgements of a consumer that throws",
    );

    check(
      "settling after the batch is over changes nothing",
      async (under) => {
        await under.queue.send(["late"]);
        let late: Delivery | undefined;
        const keep: Act = (delivery) => {
          late = delivery;
        };
        await take(under, 1, keep, new Error("consumer"));
        late?.ack();
        expect(attemptsOf(await take(under, 1))).toEqual([["late", 2]]);
      },
      "ignores late calls",
    );

    check("the backlog counts what waits, in bytes of UTF-8, and not what is out", async (under) => {
      expect(await under.queue.backlog()).toEqual({ messages: 0, bytes: 0 });
      await under.queue.send(["out"]);
      await take(under, 1, async (delivery) => {
        expect(await under.queue.backlog()).toEqual({ messages: 0, bytes: 0 });
        await under.queue.send(["abc", "é"]);
        const oldest = expect.any(Number);
        expect(await under.queue.backlog()).toEqual({ messages: 2, bytes: 5, oldest });
        delivery.ack();
      });
      expect(bodiesOf(await take(under, 2)).sort()).toEqual(["abc", "é"]);
    });
  });
}
