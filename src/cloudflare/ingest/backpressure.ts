/**
 * Backpressure: refuses early, while too much waits in the source's queue or in that of a stage that its events come to.
 *
 * What a slow operator does not take backs up towards its source; what a slow stage does not take waits in the stage's
 * own queue, which has room for days of it. So both are looked at, each against its mark.
 */
import type { Clock } from "../../clock.ts";
import type { Backlog, EventQueue } from "../../engine/event-queue.ts";
import { messageOf } from "../../errors.ts";
import type { StagePlan } from "../../plan.ts";
import { Problem } from "../http/problem.ts";
import { queueOf } from "../queue.ts";

const MAX_RETRY_SECONDS = 30;
/** As long as what a send has said of its own queue is believed. */
const FRESH_MS = 1_000;
/** A request does not wait longer to hear of a queue that it does not send to. */
const PATIENCE_MS = 1_000;
const NOTHING: Pick<Backlog, "messages"> = { messages: 0 };

/** A queue, how much waits in it, and how much may. */
export interface Gauge {
  readonly queue: string;
  /** The stage whose queue it is; absent for the source's own. */
  readonly stage?: string;
  /** Messages from which on nothing more is taken. */
  readonly limit: number;
  /** What waits. Rejects when that is not known. */
  readonly backlog: () => Promise<Pick<Backlog, "messages">>;
}

/** The gauge of the queue that a request is sent to. */
export function ownGauge(queue: Pick<EventQueue, "backlog">, name: string, limit: number): Gauge {
  return { queue: name, limit, backlog: () => queue.backlog() };
}

/**
 * The backlog of a stage's queue, asked at most once a second; an isolate keeps one per stage, over all its requests.
 * While it is asked, and for a second after it did not answer, other requests go by what is known, which at first is
 * nothing: ingest never waits in line to hear of a queue that it does not send to.
 */
export class StageBacklog {
  readonly #stage: StagePlan;
  readonly #clock: Clock;
  #known: Pick<Backlog, "messages"> = NOTHING;
  #askAgain = Number.NEGATIVE_INFINITY;

  constructor(stage: StagePlan, clock: Clock) {
    this.#stage = stage;
    this.#clock = clock;
  }

  /** @param env that has the queue's binding. */
  gauge(env: object, limit: number): Gauge {
    const { name, queue } = this.#stage;
    return { queue: queue.queue, stage: name, limit, backlog: () => this.#ask(env) };
  }

  async #ask(env: object): Promise<Pick<Backlog, "messages">> {
    const now = this.#clock.now();
    if (now < this.#askAgain) return this.#known;
    this.#askAgain = now + FRESH_MS;
    try {
      this.#known = await inTime(queueOf(env, this.#stage.queue).backlog());
    } catch (error) {
      this.#known = NOTHING;
      throw error;
    }
    return this.#known;
  }
}

/**
 * Does nothing while all backlogs are below their marks, or not known: then the send itself will tell. All are asked
 * at once.
 *
 * @param behind the queues of the stages behind the source. Without any, only the own queue is waited for.
 * @throws Problem 429 with `Retry-After`, which names the queue that is furthest over its mark.
 */
export async function checkBacklogs(
  own: Gauge,
  behind: readonly Gauge[],
  random: () => number,
): Promise<void> {
  const readings =
    behind.length === 0 ? [await readingOf(own)] : await Promise.all([own, ...behind].map(readingOf));
  let worst: Reading | undefined;
  for (const reading of readings) {
    const { gauge, messages } = reading;
    if (messages < gauge.limit) continue;
    if (
      worst === undefined ||
      overshoot(messages, gauge.limit) > overshoot(worst.messages, worst.gauge.limit)
    )
      worst = reading;
  }
  if (worst !== undefined) throw refusal(worst, random);
}

interface Reading {
  readonly gauge: Gauge;
  readonly messages: number;
}

async function readingOf(gauge: Gauge): Promise<Reading> {
  try {
    return { gauge, messages: (await gauge.backlog()).messages };
  } catch (error) {
    console.warn(`the backlog of ${gauge.queue} is not known: ${messageOf(error)}`);
    return { gauge, messages: Number.NEGATIVE_INFINITY };
  }
}

function refusal({ gauge, messages }: Reading, random: () => number): Problem {
  const { queue, stage, limit } = gauge;
  const detail =
    stage === undefined
      ? `${messages} messages wait in the queue ${queue}, and the limit is ${limit}; nothing was taken, try again later`
      : `${messages} messages wait in the queue ${queue} for the stage ${stage}, and the limit is ${limit}; nothing was taken: ` +
        "try again later, or let the stage do more at once (its concurrency or maxConsumers)";
  return new Problem(
    429,
    detail,
    { queue, ...(stage === undefined ? {} : { stage }), backlog: messages, limit },
    { "retry-after": String(retrySeconds(messages, limit, random)) },
  );
}

/** Whole seconds, 1 to 30: longer the further past the mark, and spread, so that callers do not return all at once. */
export function retrySeconds(messages: number, highWater: number, random: () => number): number {
  const over = overshoot(messages, highWater);
  const seconds = Math.min(2 + 10 * over, MAX_RETRY_SECONDS) * (0.5 + random() / 2);
  return Math.max(1, Math.round(seconds));
}

/** How far past its mark a queue is: 0 at it, 1 at twice as much. */
function overshoot(messages: number, limit: number): number {
  return limit === 0 ? Number.POSITIVE_INFINITY : messages / limit - 1;
}

/** @throws Error when it takes longer than a request should wait for it. */
async function inTime<T>(work: Promise<T>): Promise<T> {
  const timeout = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => timeout.reject(new Error(`no answer within ${PATIENCE_MS} ms`)),
    PATIENCE_MS,
  );
  try {
    return await Promise.race([work, timeout.promise]);
  } finally {
    clearTimeout(timer);
  }
}
