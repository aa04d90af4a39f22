/** CloudflareQueue: the EventQueue contract over a Queue binding, with retries that keep identity and bytes. */
import type { Clock } from "../clock.ts";
import { systemClock } from "../clock.ts";
import type { Backlog, EventQueue, QueueLimits } from "../engine/event-queue.ts";
import { messageOf, PlanError, QueueError } from "../errors.ts";
import type { QueueNames, SourcePlan } from "../plan.ts";

/** The platform's are 100 messages, 128,000 B each and 256,000 B in all; it counts its own headers in. */
export const QUEUE_LIMITS: QueueLimits = { messages: 100, messageBytes: 127_000, sendBytes: 245_000 };

const TRIES = 3;
/** A try that takes longer is given up as unknown: a queue in trouble has been seen to answer after a minute. */
const TRY_MS = 15_000;
const BACKOFF_MS = 200;
const FRESH_MS = 1_000;

/** What is used of a Queue binding; every answer states the backlog, unless the platform is older than that. */
export interface QueueBinding {
  sendBatch(messages: Iterable<{ body: string; contentType: "text" }>): Promise<unknown>;
  metrics(): Promise<unknown>;
}

export interface CloudflareQueueOptions {
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly wait?: (ms: number) => Promise<void>;
}

/** The binding of a source's queue, or undefined where the Worker's config does not have it. */
export function bindingOf(env: object, { queue }: Pick<SourcePlan, "queue">): QueueBinding | undefined {
  return (env as Record<string, QueueBinding | undefined>)[queue.binding];
}

/** The queue of a source or a stage. @throws PlanError when the Worker's config does not have it. */
export function queueOf(env: object, queue: QueueNames): CloudflareQueue {
  const binding = bindingOf(env, { queue });
  if (binding === undefined)
    throw new PlanError(`no queue binding ${queue.binding}; run: npm run plan -- --write`);
  return new CloudflareQueue(binding);
}

/** The last that was heard of a queue's backlog; an isolate keeps one per queue, over all its requests. */
export class BacklogMemory {
  #heard: Backlog | undefined;
  #at = 0;

  hear(backlog: Backlog, now: number): void {
    this.#heard = backlog;
    this.#at = now;
  }

  /** What was heard less than a second ago, if anything. */
  fresh(now: number): Backlog | undefined {
    return now - this.#at < FRESH_MS ? this.#heard : undefined;
  }
}

export class CloudflareQueue implements EventQueue {
  readonly limits = QUEUE_LIMITS;
  readonly #binding: QueueBinding;
  readonly #memory: BacklogMemory;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #wait: (ms: number) => Promise<void>;

  constructor(
    binding: QueueBinding,
    memory: BacklogMemory = new BacklogMemory(),
    options: CloudflareQueueOptions = {},
  ) {
    this.#binding = binding;
    this.#memory = memory;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#wait = options.wait ?? sleep;
  }

  /**
   * All of `messages` are durable when it resolves. A try that fails is repeated with the same messages: what arrived
   * twice is told by its identity.
   *
   * @throws QueueError `none` when every try was refused in so many words, else `unknown`.
   */
  async send(messages: readonly string[]): Promise<void> {
    if (messages.length === 0) return;
    const batch = messages.map((body) => ({ body, contentType: "text" as const }));
    let refusals = 0;
    for (let tries = 1; ; tries++) {
      try {
        const answer = await this.#inTime(this.#binding.sendBatch(batch));
        this.#hear((answer as { metadata?: { metrics?: unknown } } | undefined)?.metadata?.metrics);
        return;
      } catch (error) {
        const refusal = refusalOf(error);
        if (refusal !== undefined) refusals++;
        const over = tries === TRIES || refusal === "for good" || error instanceof TryTimeout;
        if (over) {
          const outcome = refusals === tries ? "none" : "unknown";
          throw new QueueError(`the queue did not take it: ${messageOf(error)}`, outcome, { cause: error });
        }
        await this.#wait(BACKOFF_MS * 2 ** (tries - 1) * (0.5 + this.#random()));
      }
    }
  }

  /** @throws what the binding throws, when it was not heard of lately and does not say. */
  async backlog(): Promise<Backlog> {
    const fresh = this.#memory.fresh(this.#clock.now());
    if (fresh !== undefined) return fresh;
    return this.#hear(await this.#binding.metrics()) ?? { messages: 0, bytes: 0 };
  }

  #hear(metrics: unknown): Backlog | undefined {
    const backlog = backlogOf(metrics);
    if (backlog !== undefined) this.#memory.hear(backlog, this.#clock.now());
    return backlog;
  }

  async #inTime<T>(work: Promise<T>): Promise<T> {
    const { promise: timeout, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new TryTimeout(`no answer within ${TRY_MS} ms`)), TRY_MS);
    try {
      return await Promise.race([work, timeout]);
    } finally {
      clearTimeout(timer);
    }
  }
}

class TryTimeout extends Error {}

/**
 * Whether an error says for certain that nothing was stored, by the code at the end of its message: the request was
 * wrong (`for good`), or the queue is overloaded, full or switched off (`for now`). Undefined when it does not say.
 */
function refusalOf(error: unknown): "for good" | "for now" | undefined {
  const code = Number(/\b(10\d{3})\b\D*$/.exec(messageOf(error))?.[1]);
  if (code >= 10_250 && code < 10_300) return "for now";
  // 10201: the connection broke while it was at work.
  if (code >= 10_100 && code < 10_250 && code !== 10_201) return "for good";
  return undefined;
}

function backlogOf(metrics: unknown): Backlog | undefined {
  if (typeof metrics !== "object" || metrics === null) return undefined;
  const { backlogCount, backlogBytes, oldestMessageTimestamp } = metrics as Record<string, unknown>;
  if (typeof backlogCount !== "number") return undefined;
  return {
    messages: backlogCount,
    bytes: typeof backlogBytes === "number" ? backlogBytes : 0,
    ...(oldestMessageTimestamp instanceof Date ? { oldest: oldestMessageTimestamp.getTime() } : {}),
  };
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
