/** Tickets: waits until what was accepted is applied, and sends again what seems to be lost. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "../send/client.ts";
import { reasonOf } from "../send/failure.ts";

/** Under its client's producer, number and bytes it counts once, however often it is sent. */
export interface Batch {
  readonly client: Client;
  readonly sequence: number;
  readonly body: Uint8Array<ArrayBuffer>;
}

export interface AcceptedBatch extends Batch {
  readonly ticket: string;
  readonly accepted: readonly string[];
}

export interface TicketsOptions {
  /** The views hold them now. */
  readonly onApplied: (lines: readonly string[]) => void;
  /** After each round of questions. */
  readonly onChange: () => void;
  readonly onNotice: (text: string) => void;
  readonly signal: AbortSignal;
}

const ASKED_AT_ONCE = 16;
const POLL_MS = { first: 10, most: 300 };
/** Accepted and not applied for so long: it may be lost with a queue that is kept in memory. */
const RESEND_AFTER_MS = 15_000;

export class Tickets {
  readonly #options: TicketsOptions;
  /** And when each was last sent. */
  readonly #waiting = new Map<AcceptedBatch, number>();
  #asking = false;

  constructor(options: TicketsOptions) {
    this.#options = options;
  }

  /** Batches that are not applied. */
  get size(): number {
    return this.#waiting.size;
  }

  add(batch: AcceptedBatch): void {
    this.#waiting.set(batch, Date.now());
    if (!this.#asking) void this.#askAll();
  }

  /** Asks until none is left; only one such loop runs. */
  async #askAll(): Promise<void> {
    const { onChange, signal } = this.#options;
    this.#asking = true;
    try {
      for (let pause = POLL_MS.first; this.#waiting.size > 0; ) {
        const asked = [...this.#waiting].slice(0, ASKED_AT_ONCE);
        const settled = await Promise.all(asked.map(([batch, sent]) => this.#ask(batch, sent)));
        onChange();
        pause = settled.includes(true) ? POLL_MS.first : Math.min(pause * 1.5, POLL_MS.most);
        if (this.#waiting.size > 0) await sleep(pause, undefined, { signal });
      }
    } catch {
      // Only an abort ends the pause between two rounds.
    } finally {
      this.#asking = false;
    }
  }

  /** Never throws. @returns whether it is applied. */
  async #ask(batch: AcceptedBatch, sent: number): Promise<boolean> {
    const { onApplied, onNotice, signal } = this.#options;
    try {
      if ((await batch.client.ticket(batch.ticket)) === "applied") {
        this.#waiting.delete(batch);
        onApplied(batch.accepted);
        return true;
      }
      // To the end of the line, so that those behind it are asked for as well.
      this.#waiting.delete(batch);
      this.#waiting.set(batch, sent);
      if (Date.now() - sent > RESEND_AFTER_MS) {
        this.#waiting.set(batch, Date.now());
        await batch.client.post(batch.sequence, batch.body, false);
      }
    } catch (thrown) {
      if (!signal.aborted) onNotice(reasonOf(thrown));
    }
    return false;
  }
}
