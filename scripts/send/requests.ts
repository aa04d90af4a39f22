/** Requests: batches on their way, from the cut to the server's word that they are applied, and what they add up to. */

import type { Answer } from "./answers.ts";
import { type Batch, type Reject, SHOWN_REJECTS } from "./batches.ts";
import type { Past, Receipt } from "./past.ts";

/** Tickets asked for at once: half of them the oldest, half in turn among the others. */
const ASKED = 16;

/** Counts of events, over all runs of this send, except `requests`, `retries` and `earlier`. */
export interface Totals {
  applied: number;
  /** Accepted and not yet known to be applied. */
  waiting: number;
  rejected: number;
  /** Events applied in earlier runs. */
  earlier: number;
  /** Requests settled in this run. */
  requests: number;
  retries: number;
  /** Bytes of input that are settled. */
  bytes: number;
  /** The first rejects. */
  rejects: readonly Reject[];
}

export interface Request {
  readonly sequence: number;
  readonly events: number;
  readonly files: readonly number[];
  readonly lines: readonly number[];
  readonly last: boolean;
  /** Its share of the input's bytes. */
  readonly bytes: number;
  /** Kept until it is applied, so that it can be sent again without reading the input again. */
  body: Uint8Array<ArrayBuffer>;
  receipt: Receipt | undefined;
  state: "to send" | "waiting";
  acceptedAt: number;
  askedAt: number;
  resends: number;
}

/** The counts that earlier runs left. */
export function totalsOf({ applied, rejected, rejects }: Past): Totals {
  return { applied, rejected, rejects, earlier: applied, waiting: 0, requests: 0, retries: 0, bytes: 0 };
}

/** `receipt`: what an earlier run got for it. Its body is still to be filled in. */
export function requestOf(
  batch: Batch,
  sequence: number,
  bytes: number,
  receipt: Receipt | undefined,
): Request {
  const { events, files, lines, last } = batch;
  return {
    ...{ sequence, events, files, lines, last, bytes, receipt },
    body: new Uint8Array(),
    state: "to send",
    acceptedAt: Date.now(),
    askedAt: 0,
    resends: 0,
  };
}

/** Turns the server's line numbers into the input's. */
export function receiptOf(request: Request, { accepted, rejected, ticket }: Answer): Receipt {
  const rows = rejected.slice(0, SHOWN_REJECTS).map(({ index, error }) => ({
    file: request.files[index] ?? 0,
    line: request.lines[index] ?? 0,
    error,
  }));
  return { accepted, refused: request.events - accepted, rows, ticket };
}

/** The requests that are not settled. */
export class InFlight {
  /** In the order of their numbers. */
  readonly #requests = new Map<number, Request>();
  #turn = 0;
  #appliedAt = 0;
  /** When the youngest request that is applied had been accepted. */
  #youngest = 0;

  get isEmpty(): boolean {
    return this.#requests.size === 0;
  }

  /** The number of the oldest one. */
  get oldest(): number | undefined {
    return this.#requests.keys().next().value;
  }

  add(request: Request): void {
    this.#requests.set(request.sequence, request);
  }

  /** Nothing of it was accepted, or all that was is applied. */
  remove(request: Request): void {
    this.#requests.delete(request.sequence);
    if (request.receipt?.ticket === undefined) return;
    this.#appliedAt = Date.now();
    this.#youngest = Math.max(this.#youngest, request.acceptedAt);
  }

  /** Some of those that wait to be applied. */
  toAsk(): Request[] {
    const waiting = [...this.#requests.values()].filter((request) => request.state === "waiting");
    const asked = waiting.splice(0, ASKED / 2);
    const others = Math.min(waiting.length, ASKED / 2);
    for (let i = 0; i < others; i++) {
      const request = waiting[(this.#turn + i) % waiting.length];
      if (request !== undefined) asked.push(request);
    }
    this.#turn += others;
    return asked;
  }

  /**
   * Those that the server seems to have lost, each returned once and from now on "to send". Lost is what was seen
   * unapplied long after it was accepted, while nothing else was applied either or while younger ones were. A mistake
   * costs a request that the server recognises; so the next time waits twice as long. Times in milliseconds.
   */
  takeLost(resendAfter: number, reachableSince: number): Request[] {
    const now = Date.now();
    const lost = [...this.#requests.values()].filter(({ state, acceptedAt, askedAt, resends }) => {
      const wait = resendAfter * 2 ** Math.min(resends, 5);
      const quietSince = Math.max(acceptedAt, this.#appliedAt, reachableSince);
      const isLate = now - quietSince >= wait || this.#youngest - acceptedAt >= wait;
      return state === "waiting" && isLate && askedAt - acceptedAt >= wait;
    });
    for (const request of lost) {
      request.state = "to send";
      request.resends++;
    }
    return lost;
  }
}
