/** Clock: where the engine gets the time from, so that tests and simulations can own it. */

/** Epoch milliseconds up to the year 275760, the last that a Date knows: the watermark of a stream that has ended. */
export const MAX_TIME = 8_640_000_000_000_000;

export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** A clock that stands still until it is moved. */
export class VirtualClock implements Clock {
  #now: number;

  constructor(start = 0) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  /** Moves the clock forward by `ms` (which may not be negative). */
  advance(ms: number): void {
    if (!(ms >= 0)) throw new RangeError(`a clock does not go back: ${ms} ms`);
    this.#now += ms;
  }
}
