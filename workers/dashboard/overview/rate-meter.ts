/** RateMeter: how fast a total grows, from how it was seen to change. */

export interface Sample {
  /** ms. */
  readonly time: number;
  readonly value: number;
}

/** Over how long "now" is, ms: long enough that four updates a second make one calm number. */
const NOW_MS = 10_000;
/** A point of the curve, ms. */
const STEP_MS = 1000;
const POINTS = 600;

export class RateMeter {
  /** The total as it was last seen, and what it was before, back to where "now" begins. */
  #recent: Sample[] = [];
  /** Another array with each point, so that who shows it sees that it is another one. */
  #curve: readonly Sample[] = [];
  #drawn = 0;

  /**
   * A total that falls (a reset, another deployment) begins anew: there is no negative rate. Once a second is enough,
   * besides each change: a total that stands still has to be told too.
   */
  see(time: number, value: number): void {
    const last = this.#recent.at(-1);
    if (last !== undefined && value < last.value) this.#recent = [];
    this.#recent.push({ time, value });
    // One older than that stays: the rate is over the whole of "now".
    const [, second] = this.#recent;
    if (second !== undefined && second.time <= time - NOW_MS) this.#recent.shift();
    if (time - this.#drawn < STEP_MS) return;
    this.#drawn = time;
    this.#curve = [...this.#curve.slice(1 - POINTS), { time, value: this.perSecond ?? 0 }];
  }

  /** Forgets what came before a break: what was counted meanwhile did not come at once. */
  pause(): void {
    this.#recent = [];
  }

  /** Undefined until it was seen twice. */
  get perSecond(): number | undefined {
    const [first] = this.#recent;
    const last = this.#recent.at(-1);
    if (first === undefined || last === undefined || last.time <= first.time) return undefined;
    return ((last.value - first.value) * 1000) / (last.time - first.time);
  }

  /** The rate as it was, about a point a second, oldest first. */
  get curve(): readonly Sample[] {
    return this.#curve;
  }
}
