/** Patience: how long a stop waits: as long as there is less and less to do, and a fixed time when there is not. */

export class Patience {
  readonly #limit: number;
  readonly #ending = new AbortController();
  #least = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout;

  /** @param limit how long nothing may change, milliseconds. */
  constructor(limit: number) {
    this.#limit = limit;
    this.#timer = this.#newTimer();
  }

  /** Aborted when it is at its end. */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  /** So much is left now. */
  see(left: number): void {
    if (left >= this.#least) return;
    this.#least = left;
    clearTimeout(this.#timer);
    this.#timer = this.#newTimer();
  }

  /** Something else is waited for from now on. */
  renew(): void {
    this.#least = Number.POSITIVE_INFINITY;
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #newTimer(): NodeJS.Timeout {
    return setTimeout(() => this.#ending.abort(), this.#limit);
  }
}
