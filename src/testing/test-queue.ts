/** TestQueue: a queue whose delays go by the clock that it is given, and that misdelivers on request. */
import { byteLength } from "../byte-length.ts";
import type { Clock } from "../clock.ts";
import type { Backlog, Consumer, EventQueue, QueueLimits } from "../engine/event-queue.ts";
import { MEMORY_LIMITS } from "../engine/memory-queue.ts";
import type { Random } from "./random.ts";

interface Waiting {
  readonly id: string;
  readonly body: string;
  readonly attempts: number;
  readonly sent: number;
  /** Not delivered before this time, epoch milliseconds. */
  readonly due: number;
}

export interface TestQueueOptions {
  /** Every message comes twice. */
  readonly duplicates?: boolean;
  /** Messages come in batches of any size and in any order: what this says. */
  readonly random?: Random | undefined;
}

/** Never full: what nobody takes is there to be looked at. */
export class TestQueue implements EventQueue {
  readonly limits: QueueLimits = MEMORY_LIMITS;
  readonly #clock: Clock;
  readonly #options: TestQueueOptions;
  #waiting: Waiting[] = [];
  #ids = 0;

  constructor(clock: Clock, options: TestQueueOptions = {}) {
    this.#clock = clock;
    this.#options = options;
  }

  async send(messages: readonly string[]): Promise<void> {
    const sent = this.#clock.now();
    for (const body of messages) {
      const message = { id: `m${++this.#ids}`, body, attempts: 1, sent, due: sent };
      this.#waiting.push(message);
      if (this.#options.duplicates === true) this.#waiting.push(message);
    }
  }

  async backlog(): Promise<Backlog> {
    const sent = this.#waiting.map((message) => message.sent);
    return {
      messages: this.#waiting.length,
      bytes: this.#waiting.reduce((sum, { body }) => sum + byteLength(body), 0),
      ...(sent.length === 0 ? {} : { oldest: Math.min(...sent) }),
    };
  }

  /** Messages that wait. */
  get size(): number {
    return this.#waiting.length;
  }

  /** When the first message is to be delivered, epoch milliseconds. */
  nextDue(): number | undefined {
    return this.#waiting.reduce<number | undefined>(
      (first, { due }) => (first === undefined || due < first ? due : first),
      undefined,
    );
  }

  /**
   * Hands over at most `max` of the messages that are due. What is not acknowledged comes again, after the delay that
   * was asked for.
   *
   * @returns false when no message is due.
   */
  async deliver(max: number, consume: Consumer): Promise<boolean> {
    const taken = this.#take(max);
    if (taken.length === 0) return false;
    const settled = new Map<number, { readonly retryAfter: number } | "acked">();
    let over = false;
    const settle = (n: number, how: { readonly retryAfter: number } | "acked") => {
      if (!over && !settled.has(n)) settled.set(n, how);
    };
    try {
      await consume(
        taken.map(({ id, body, attempts }, n) => ({
          id,
          body,
          attempts,
          ack: () => settle(n, "acked"),
          retry: ({ delaySeconds = 0 } = {}) => settle(n, { retryAfter: delaySeconds * 1000 }),
        })),
      );
    } finally {
      over = true;
      taken.forEach((message, n) => {
        const how = settled.get(n) ?? { retryAfter: 0 };
        if (how === "acked") return;
        const due = this.#clock.now() + how.retryAfter;
        this.#waiting.push({ ...message, attempts: message.attempts + 1, due });
      });
    }
    return true;
  }

  #take(max: number): Waiting[] {
    const { random } = this.#options;
    const now = this.#clock.now();
    const due = this.#waiting.filter((message) => message.due <= now);
    let taken = due.slice(0, max);
    if (random !== undefined && due.length > 0) {
      const size = 1 + random.below(Math.min(max, due.length));
      taken = Array.from({ length: size }, () => due.splice(random.below(due.length), 1)[0] as Waiting);
    }
    // A duplicate is the same object, so that each is taken out once.
    for (const message of taken) this.#waiting.splice(this.#waiting.indexOf(message), 1);
    return taken;
  }
}
