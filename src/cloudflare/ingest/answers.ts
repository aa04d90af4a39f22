/** Answers: what the sender of events gets to read about them. */

import type { Rejection } from "../../engine/source/reader.ts";
import type { Reading } from "../../engine/source-executor.ts";
import { QueueError, TooLargeError } from "../../errors.ts";
import { Problem, shorten } from "../http/problem.ts";
import type { Claim } from "./identity.ts";
import type { Records } from "./records.ts";

/** How many rejects an answer lists. */
export const MAX_LISTED = 100;
const MAX_ERROR_LENGTH = 300;

/** What a request came to. */
export interface Outcome {
  /** Events. */
  readonly accepted: number;
  /** Records, by index. */
  readonly rejected: readonly Rejection[];
  /** True when all that was rejected was over a limit. */
  readonly onlyTooLarge: boolean;
  /** There is a watermark to be sent, with or without events. */
  readonly states: boolean;
}

export function outcomeOf(records: Records, reading: Reading): Outcome {
  return {
    accepted: reading.accepted,
    rejected: [...records.rejected, ...reading.rejected].sort((a, b) => a.index - b.index),
    onlyTooLarge: reading.onlyTooLarge && records.rejected.length === 0,
    states: reading.watermark !== undefined,
  };
}

/** The members `rejected` (the first of them) and, when there are more, `rejectedCount`. */
function listed(rejected: readonly Rejection[]): { rejected: Rejection[]; rejectedCount?: number } {
  const first = rejected
    .slice(0, MAX_LISTED)
    .map(({ index, error }) => ({ index, error: shorten(error, MAX_ERROR_LENGTH) }));
  return rejected.length <= MAX_LISTED
    ? { rejected: first }
    : { rejected: first, rejectedCount: rejected.length };
}

/**
 * Lets an outcome pass of which something may be sent.
 *
 * @param claim the number that the refusal uses up, if any.
 * @throws Problem 400, or 413 when all was over a limit, when nothing could be accepted, or not all and `strict` asks for all.
 */
export function checkOutcome(
  { accepted, rejected, onlyTooLarge, states }: Outcome,
  strict: boolean,
  claim?: Claim & { by: "client" },
): void {
  if ((accepted > 0 || states) && !(strict && rejected.length > 0)) return;
  const usedUp =
    claim === undefined
      ? ""
      : `; number ${claim.sequence} is used up, send the corrected events under the next one`;
  if (rejected.length === 0) {
    throw new Problem(400, `the source made no event of this${usedUp}`, listed(rejected));
  }
  const what =
    accepted === 0
      ? `nothing could be accepted: "rejected" says why`
      : `nothing was accepted, since strict asks for all or nothing: "rejected" says what is wrong`;
  throw new Problem(onlyTooLarge && accepted === 0 ? 413 : 400, what + usedUp, listed(rejected));
}

/** 202: what is accepted is durable. */
export function accepted({ accepted, rejected }: Omit<Outcome, "states">, ticket: string): Response {
  return Response.json(
    { accepted, ...listed(rejected), ticket },
    { status: 202, headers: { "cache-control": "no-store" } },
  );
}

/** @throws Problem 413 where `pack` throws a TooLargeError. */
export function tooLarge<T>(pack: () => T): T {
  try {
    return pack();
  } catch (error) {
    throw error instanceof TooLargeError ? new Problem(413, error.message, {}, {}, { cause: error }) : error;
  }
}

/** @throws Problem 503 with the outcome and what it means for this sender, where `send` throws a QueueError. */
export async function sending(send: () => Promise<void>, claim: Claim, random: () => number): Promise<void> {
  try {
    await send();
  } catch (error) {
    if (!(error instanceof QueueError)) throw error;
    console.error(`a send failed, outcome ${error.outcome}: ${error.message}`);
    const retryAfter = String(1 + Math.floor(random() * 5));
    throw new Problem(
      503,
      adviceFor(error.outcome, claim),
      { outcome: error.outcome },
      { "retry-after": retryAfter },
    );
  }
}

function adviceFor(outcome: QueueError["outcome"], claim: Claim): string {
  if (outcome === "none") return "the queue would not take it: nothing is stored, send it again";
  const unsure = "the queue did not say whether it took it";
  return claim.by === "isolate"
    ? `${unsure}; sent again it may count twice, unless requests carry an Idempotency-Key or Millrace-Producer from the start`
    : `${unsure}; send it again under the same identity, and it counts once`;
}
