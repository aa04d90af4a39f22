/**
 * Sender: the loop of a send. Batches are cut, sent under their sequence number, and asked for until the server has
 * applied them. What was accepted may still be lost with a server whose queue is in memory; it is then sent again,
 * under its old number, and counts once either way.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { Answer } from "./answers.ts";
import { type Batch, firstRejects, type Reject } from "./batches.ts";
import type { Client } from "./client.ts";
import { SendError } from "./failure.ts";
import type { Journal } from "./journal.ts";
import { isSettled, type Known, type Receipt } from "./past.ts";
import { InFlight, type Request, receiptOf, requestOf, type Totals, totalsOf } from "./requests.ts";

/** How far a sequence may be ahead of the oldest one not applied: the server remembers a bounded distance (409). */
const WINDOW = 512;

const POLL_MS = { first: 50, most: 1_000 };

export interface SenderOptions {
  readonly concurrency: number;
  /** Milliseconds without progress after which what was accepted and is not applied is sent again. */
  readonly resendAfter: number;
  /** Aborted to stop everything; `run` aborts it when something fails. */
  readonly stop: AbortController;
}

const compress = promisify(gzip);

export class Sender {
  readonly totals: Totals;
  readonly #batches: AsyncIterator<Batch>;
  readonly #client: Client;
  readonly #journal: Journal;
  readonly #options: SenderOptions;
  readonly #inFlight = new InFlight();
  /** To be sent again. */
  readonly #lost: Request[] = [];
  #next: number;
  #exhausted = false;
  #read = 0;
  #change = Promise.withResolvers<void>();

  constructor(batches: AsyncIterator<Batch>, client: Client, journal: Journal, options: SenderOptions) {
    this.#batches = batches;
    this.#client = client;
    this.#journal = journal;
    this.#options = options;
    this.#next = journal.past.next;
    this.totals = totalsOf(journal.past);
  }

  /** Returns when every event is applied or rejected. Throws what stopped it, after all its requests have ended. */
  async run(): Promise<void> {
    const { stop, concurrency } = this.#options;
    stop.signal.addEventListener("abort", () => this.#changed());
    const loops = [this.#askLoop(), ...Array.from({ length: concurrency }, () => this.#sendLoop())];
    for (const loop of loops) loop.catch((thrown: unknown) => stop.abort(thrown));
    await Promise.allSettled(loops);
    stop.signal.throwIfAborted();
  }

  async #sendLoop(): Promise<void> {
    for (let request = await this.#take(); request !== undefined; request = await this.#take()) {
      const answer = await this.#client.post(request.sequence, request.body, request.last);
      this.#record(request, answer);
    }
  }

  /** The next request to send; waits for one, and is undefined when all are settled. */
  async #take(): Promise<Request | undefined> {
    for (;;) {
      this.#options.stop.signal.throwIfAborted();
      const lost = this.#lost.shift();
      if (lost !== undefined) return lost;
      if (this.#exhausted && this.#inFlight.isEmpty) return undefined;
      const oldest = this.#inFlight.oldest ?? this.#next;
      if (this.#exhausted || this.#next - oldest >= WINDOW) {
        await this.#change.promise;
        continue;
      }
      const request = await this.#cut();
      if (request !== undefined) return request;
    }
  }

  /** Reads one batch; undefined when the input has ended, or when nothing has to be sent for this one. */
  async #cut(): Promise<Request | undefined> {
    const { value: batch, done } = await orStopped(this.#batches.next(), this.#options.stop.signal);
    if (done) {
      this.#exhausted = true;
      this.#changed();
      return undefined;
    }
    const known = this.#journal.past.known.get(this.#next) ?? {};
    const bytes = batch.read - this.#read;
    this.#read = batch.read;
    this.#reject(batch.rejected, batch.rejects);
    if (batch.events === 0) return undefined;
    // From here to the end of `#enter` nothing waits: numbers are given in the order of the batches.
    const sequence = this.#next++;
    this.#journal.past.known.delete(sequence);
    if (known.cut === undefined) this.#journal.cut(sequence, batch);
    else if (known.cut.hash !== batch.hash) {
      throw new SendError(
        "The input is not what it was when this send began. " +
          "Use --fresh to send everything as new: what was already applied will then be counted again.",
      );
    }
    const request = this.#enter(sequence, batch, bytes, known);
    if (request === undefined) return undefined;
    request.body = new Uint8Array(await compress(batch.body));
    if (request.receipt === undefined) return request;
    request.state = "waiting";
    this.#changed();
    return undefined;
  }

  #enter(sequence: number, batch: Batch, bytes: number, known: Known): Request | undefined {
    const { receipt } = known;
    if (receipt !== undefined) this.#reject(receipt.refused, receipt.rows);
    if (receipt !== undefined && isSettled(known)) {
      this.totals.applied += receipt.accepted;
      this.totals.earlier += receipt.accepted;
      this.totals.bytes += bytes;
      return undefined;
    }
    const request = requestOf(batch, sequence, bytes, receipt);
    this.totals.waiting += receipt?.accepted ?? 0;
    this.#inFlight.add(request);
    return request;
  }

  #record(request: Request, answer: Answer): void {
    const first = request.receipt;
    // Its rejects are the same each time, so only the first answer counts them.
    const receipt: Receipt = first ? { ...first, ticket: answer.ticket } : receiptOf(request, answer);
    this.#journal.answered(request.sequence, receipt);
    request.receipt = receipt;
    request.acceptedAt = Date.now();
    request.state = "waiting";
    if (first === undefined) {
      this.#reject(receipt.refused, receipt.rows);
      this.totals.waiting += receipt.accepted;
    }
    if (receipt.ticket === undefined) this.#settle(request, receipt);
    this.#changed();
  }

  /** Asks what has become of the requests that wait, and sends again what seems lost. */
  async #askLoop(): Promise<void> {
    const { resendAfter, stop } = this.#options;
    const { signal } = stop;
    let pause = POLL_MS.first;
    while (!this.#exhausted || !this.#inFlight.isEmpty) {
      signal.throwIfAborted();
      const asked = this.#inFlight.toAsk();
      if (asked.length === 0) {
        await this.#change.promise;
        continue;
      }
      const settled = await Promise.all(asked.map((request) => this.#ask(request)));
      this.#sendAgain(this.#inFlight.takeLost(resendAfter, this.#client.reachableSince));
      pause = settled.includes(true) ? POLL_MS.first : Math.min(pause * 1.5, POLL_MS.most);
      await sleep(pause, undefined, { signal });
    }
  }

  async #ask(request: Request): Promise<boolean> {
    const { receipt } = request;
    if (receipt?.ticket === undefined) return false;
    const state = await this.#client.ticket(receipt.ticket);
    if (state !== "unreachable") request.askedAt = Date.now();
    if (state !== "applied") return false;
    this.#journal.applied(request.sequence);
    this.#settle(request, receipt);
    this.#changed();
    return true;
  }

  #sendAgain(lost: readonly Request[]): void {
    if (lost.length === 0) return;
    this.#lost.push(...lost);
    this.totals.retries += lost.length;
    this.#changed();
  }

  #settle(request: Request, receipt: Receipt): void {
    this.#inFlight.remove(request);
    this.totals.waiting -= receipt.accepted;
    this.totals.applied += receipt.accepted;
    this.totals.bytes += request.bytes;
    this.totals.requests++;
  }

  #reject(count: number, rows: readonly Reject[]): void {
    this.totals.rejected += count;
    this.totals.rejects = firstRejects(this.totals.rejects, rows);
  }

  /** Wakes whoever waits for a change. */
  #changed(): void {
    const { resolve } = this.#change;
    this.#change = Promise.withResolvers<void>();
    resolve();
  }
}

/**
 * The promise's outcome, or the abort's reason: reading a pipe may take for ever. (`Promise.race` with one promise for
 * the abort would keep every batch in memory until the end.)
 */
async function orStopped<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const { promise: outcome, resolve, reject } = Promise.withResolvers<Value>();
  const onStop = () => reject(signal.reason);
  signal.addEventListener("abort", onStop);
  promise.then(resolve, reject);
  try {
    return await outcome;
  } finally {
    signal.removeEventListener("abort", onStop);
  }
}
