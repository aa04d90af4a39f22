/** MemoryQueue: the article's stream, a bounded first-in-first-out queue; a full one makes its senders wait. */
import { byteLength } from "../byte-length.ts";
import type { Clock } from "../clock.ts";
import { systemClock } from "../clock.ts";
import type { Backlog, Delivery, EventQueue, QueueLimits } from "./event-queue.ts";

export const MEMORY_LIMITS: QueueLimits = { messages: 100, messageBytes: 128_000, sendBytes: 256_000 };

interface Waiting {
  readonly id: string;
  readonly body: string;
  readonly attempts: number;
  readonly sent: number;
}

export class MemoryQueue implements EventQueue {
  readonly limits = MEMORY_LIMITS;
  readonly #waiting: Waiting[] = [];
  #unsettled = 0;
  #ids = 0;
  /** Resolved and replaced whenever something changes: senders wait for room, receivers for messages. */
  #changed = Promise.withResolvers<void>();

  readonly capacity: number;
  readonly clock: Clock;

  /** @param capacity messages that may wait; `send` waits for room. */
  constructor(capacity = 1000, clock: Clock = systemClock) {
    this.capacity = capacity;
    this.clock = clock;
  }

  /** Messages that wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Messages that wait or are out for delivery. */
  get size(): number {
    return this.#waiting.length + this.#unsettled;
  }

  async send(messages: readonly string[]): Promise<void> {
    while (this.#waiting.length > 0 && this.#waiting.length + messages.length > this.capacity)
      await this.#changed.promise;
    const sent = this.clock.now();
    for (const body of messages) this.#waiting.push({ id: `m${++this.#ids}`, body, attempts: 1, sent });
    this.#change();
  }

  async backlog(): Promise<Backlog> {
    const [first] = this.#waiting;
    return {
      messages: this.#waiting.length,
      bytes: this.#waiting.reduce((sum, { body }) => sum + byteLength(body), 0),
      ...(first === undefined ? {} : { oldest: first.sent }),
    };
  }

  /**
   * Waits until there is a message, then hands over at most `max` of them to `consume`, in order. Deliveries that
   * are not acknowledged go back to the end of the queue (at once: a memory queue has no reason to wait).
   */
  async deliver(max: number, consume: (batch: readonly Delivery[]) => Promise<void>): Promise<void> {
    while (this.#waiting.length === 0) await this.#changed.promise;
    const taken = this.#waiting.splice(0, max);
    this.#unsettled += taken.length;
    this.#change();
    const settled = new Map<Waiting, "ack" | "retry">();
    const settle = (message: Waiting, how: "ack" | "retry") => {
      if (!settled.has(message)) settled.set(message, how);
    };
    try {
      await consume(
        taken.map((message) => ({
          id: message.id,
          body: message.body,
          attempts: message.attempts,
          ack: () => settle(message, "ack"),
          retry: () => settle(message, "retry"),
        })),
      );
    } finally {
      this.#unsettled -= taken.length;
      for (const message of taken) {
        if (settled.get(message) !== "ack")
          this.#waiting.push({ ...message, attempts: message.attempts + 1 });
      }
      this.#change();
    }
  }

  /** Resolves at the next change: a message came, went or was settled. */
  get changed(): Promise<void> {
    return this.#changed.promise;
  }

  #change(): void {
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers<void>();
    resolve();
  }
}
