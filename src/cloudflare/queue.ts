/** CloudflareQueue: the EventQueue contract over a Queue binding. */
import type { Backlog, EventQueue, QueueLimits } from "../engine/event-queue.ts";
import { messageOf, PlanError, QueueError } from "../errors.ts";

/** The platform's limits, less room for what it counts beside the body. */
const LIMITS: QueueLimits = { messages: 100, messageBytes: 127_000, sendBytes: 250_000 };

const TRIES = 3;
const FIRST_PAUSE_MS = 50;
/** The queue itself said that it would not take the messages: overloaded, full, over its rate. */
const REFUSAL = /\b(10250|10251|10252|Too Many Requests|overloaded|storage limit)\b/i;

export class CloudflareQueue implements EventQueue {
  readonly limits = LIMITS;
  readonly #binding: Queue<string>;
  #backlog: { at: number; value: Backlog } | undefined;

  /** @throws PlanError when the Worker has no such binding: its config is out of step with the plan. */
  constructor(env: unknown, binding: string) {
    const queue = (env as Record<string, unknown>)[binding];
    if (queue === undefined) throw new PlanError(`no queue binding ${binding}; run: npm run plan -- --write`);
    this.#binding = queue as Queue<string>;
  }

  /**
   * Sends all messages in one call. A failure is retried with the same messages, so under the same identities.
   *
   * @throws QueueError after the last try; `none` only if every try was refused outright.
   */
  async send(messages: readonly string[]): Promise<void> {
    if (messages.length === 0) return;
    let refused = true;
    for (let attempt = 1; ; attempt++) {
      try {
        const batch = messages.map((body): MessageSendRequest<string> => ({ body, contentType: "text" }));
        const { metadata } = await this.#binding.sendBatch(batch);
        this.#remember(metadata?.metrics);
        return;
      } catch (error) {
        refused &&= REFUSAL.test(messageOf(error));
        if (attempt === TRIES) throw new QueueError(messageOf(error), refused ? "none" : "unknown", { cause: error });
        await new Promise((resolve) => setTimeout(resolve, FIRST_PAUSE_MS * 2 ** attempt * (0.5 + Math.random())));
      }
    }
  }

  /** @param maxAgeMs how old an answer may be: each send brings one along. */
  async backlog(maxAgeMs = 0): Promise<Backlog> {
    if (this.#backlog === undefined || Date.now() - this.#backlog.at > maxAgeMs) {
      this.#remember(await this.#binding.metrics());
    }
    return this.#backlog?.value ?? { messages: 0, bytes: 0 };
  }

  #remember(metrics: QueueMetrics | undefined): void {
    if (metrics === undefined) return;
    const { backlogCount, backlogBytes, oldestMessageTimestamp } = metrics;
    const oldest = oldestMessageTimestamp === undefined ? {} : { oldest: Number(oldestMessageTimestamp) };
    this.#backlog = { at: Date.now(), value: { messages: backlogCount, bytes: backlogBytes, ...oldest } };
  }
}
