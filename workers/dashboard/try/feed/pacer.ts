/** Pacer: how many events are due at a rate, however unevenly it is asked. */

/** What was not sent for so long is not made up for: a stall must not become a burst. */
const MEMORY_MS = 1_000;

export class Pacer {
  #due = 0;
  #asked: number;

  /** @param now ms, by the clock of all later calls. */
  constructor(now: number) {
    this.#asked = now;
  }

  /**
   * Whole events that are due now, and count as sent from then on.
   *
   * @param rate events a second.
   * @param step gives a multiple of it, so that each request has as many.
   */
  take(now: number, rate: number, step = 1): number {
    const passed = Math.min(Math.max(0, now - this.#asked), MEMORY_MS);
    this.#asked = now;
    this.#due += (passed * rate) / 1_000;
    const whole = Math.floor(this.#due / step) * step;
    this.#due -= whole;
    return whole;
  }
}
