/** Task: something that a shard has to do by itself, now or at a time: send, fire, write, ask. */
import { RetryAfterError } from "../../../errors.ts";

export interface Task {
  readonly name: string;
  /** When there is something to do, epoch milliseconds (in the past: now); undefined when there is nothing. */
  dueAt(): number | undefined;
  /** Does what is due. Isolated from other tasks: what it throws is logged, and `dueAt` says when to try again. */
  run(): Promise<void>;
  /** While it runs: something more may be due, which it can do beside what it is doing. */
  more?(): void;
}

const FIRST_MS = 1_000;
const LONGEST_MS = 60_000;
const LONGEST_BUSY_MS = 5_000;
const LONGEST_ASKED_MS = 3_600_000;

/** Waits longer and longer while something fails. */
export class Backoff {
  #failures = 0;
  #until = 0;

  /** Not before this time, epoch milliseconds. */
  get until(): number {
    return this.#until;
  }

  /** @param error what it failed with: it may ask for a longer wait. */
  failed(now: number, error?: unknown): void {
    const asked = error instanceof RetryAfterError ? Math.min(error.afterMs, LONGEST_ASKED_MS) : 0;
    this.#wait(now, LONGEST_MS, asked);
  }

  /** It did not fail, but has no room at the moment: that may change any second, and to ask costs little. */
  busy(now: number): void {
    this.#wait(now, LONGEST_BUSY_MS);
  }

  succeeded(): void {
    this.#failures = 0;
    this.#until = 0;
  }

  #wait(now: number, longest: number, least = 0): void {
    this.#until = now + Math.max(least, Math.min(FIRST_MS * 2 ** this.#failures, longest));
    this.#failures = Math.min(this.#failures + 1, 30);
  }
}
