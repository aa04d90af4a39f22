/** Backpressure: refuses early, while a queue's backlog is past its high-water mark. */

import type { EventQueue } from "../../engine/event-queue.ts";
import { messageOf } from "../../errors.ts";
import { Problem } from "../http/problem.ts";

const DEFAULT_HIGH_WATER = 10_000;
const MAX_RETRY_SECONDS = 30;

/** The mark in messages, from a configured text; the default when that is not a whole number. */
export function highWaterOf(text: string | undefined): number {
  return text !== undefined && /^\d{1,15}$/.test(text.trim()) ? Number(text) : DEFAULT_HIGH_WATER;
}

/**
 * Does nothing while the backlog is below the mark, or not known: then the send itself will tell.
 *
 * @throws Problem 429 with `Retry-After`.
 */
export async function checkBacklog(
  queue: Pick<EventQueue, "backlog">,
  highWater: number,
  random: () => number,
): Promise<void> {
  let messages: number;
  try {
    ({ messages } = await queue.backlog());
  } catch (error) {
    console.warn(`the queue's backlog is not known: ${messageOf(error)}`);
    return;
  }
  if (messages < highWater) return;
  throw new Problem(
    429,
    `${messages} messages wait in the queue, and the limit is ${highWater}; nothing was taken, try again later`,
    { backlog: messages, limit: highWater },
    { "retry-after": String(retrySeconds(messages, highWater, random)) },
  );
}

/** Whole seconds, 1 to 30: longer the further past the mark, and spread, so that callers do not return all at once. */
export function retrySeconds(messages: number, highWater: number, random: () => number): number {
  const overshoot = highWater === 0 ? Number.POSITIVE_INFINITY : messages / highWater - 1;
  const seconds = Math.min(2 + 10 * overshoot, MAX_RETRY_SECONDS) * (0.5 + random() / 2);
  return Math.max(1, Math.round(seconds));
}
