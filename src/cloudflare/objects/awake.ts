/**
 * Awake: how long an object is at work, which its duration is billed by: wall-clock time, once however much goes on at a time.
 *
 * An object that only lies in memory and could hibernate is not charged for (Cloudflare's pricing of Durable Objects). On
 * Workers the clock stands still while code computes and moves when something that it waited for has come; so what is to
 * be counted has to wait for something, if only for its own writes.
 */
import type { Clock } from "../../clock.ts";
import type { Usage } from "../../engine/usage.ts";

export class Awake {
  readonly #clock: Clock;
  readonly #use: (usage: Usage) => void;
  #under = 0;
  /** Up to when it is counted, epoch milliseconds. */
  #since = 0;

  constructor(clock: Clock, use: (usage: Usage) => void) {
    this.#clock = clock;
    this.#use = use;
  }

  /** Counts the time until `work` has settled. It gives what `work` gives. */
  async during<T>(work: Promise<T>): Promise<T> {
    if (this.#under++ === 0) this.#since = this.#clock.now();
    try {
      return await work;
    } finally {
      this.#under--;
      this.#count();
    }
  }

  /** Counts the time until what was written so far is confirmed: no answer leaves before. Never throws. */
  confirming(storage: { sync(): Promise<void> }): void {
    // A write that failed is the object's end, of which its callers hear.
    void this.during(storage.sync()).catch(() => undefined);
  }

  /** Each time that something ends, since in a busy object there is always something under way. */
  #count(): void {
    const now = this.#clock.now();
    if (now <= this.#since) return;
    this.#use({ awake: now - this.#since });
    this.#since = now;
  }
}
