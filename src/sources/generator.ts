/**
 * generator: a synthetic source that makes so many events a second, for load, demonstrations and tests.
 *
 * ```ts
 * const clicks = job.addSource(generator("synthetic", { rate: 10, make: (n) => ({ url: `/page-${n % 7}` }) }));
 * ```
 *
 * Event n is `make(n)`, its id is `{name}-{n}`, and each n counts exactly once. What `make` throws holds the source up
 * at that n, which is tried again.
 */
import { PlanError } from "../errors.ts";
import { span } from "../plan/options.ts";
import type { Pulled, PulledEvent, PullRequest, PullSourceOptions } from "../source.ts";
import { PullSource } from "../source.ts";

export interface GeneratorOptions<T> extends Pick<PullSourceOptions, "every"> {
  /** Events per second; fractions too: 0.1 is one in ten seconds. */
  readonly rate: number;
  /** Makes the nth event, n = 0, 1, 2, … @param time when it is due, epoch milliseconds: its event time. */
  readonly make: (n: number, time: number) => T;
  /** Events in all; endless by default. */
  readonly limit?: number;
  /** Time that is made up for after downtime, or when what follows was too slow; the rest is left out. "10 seconds" by default. */
  readonly catchUp?: number | string;
}

/**
 * Keeps pace with the clock, in bursts of what is due `every` second.
 *
 * @throws PlanError when the rate, the limit or the catch-up is none.
 */
export function generator<T>(name: string, options: GeneratorOptions<T>): GeneratorSource<T> {
  return new GeneratorSource(name, options);
}

/** Event n is due at `origin + (n - from) / rate`: added up event by event, times of today lose a fast rate's fractions. */
interface Offset {
  readonly next: number;
  readonly from: number;
  /** Epoch milliseconds. */
  readonly origin: number;
  /** Per millisecond. */
  readonly rate: number;
}

/** How often a generator that is done looks whether a deployment has raised its limit. */
const DONE_MS = 3_600_000;

export class GeneratorSource<T> extends PullSource<T, Offset> {
  readonly #make: (n: number, time: number) => T;
  readonly #rate: number;
  readonly #limit: number;
  readonly #catchUp: number;
  readonly #every: number;

  constructor(
    name: string,
    { rate, make, limit = Number.POSITIVE_INFINITY, ...options }: GeneratorOptions<T>,
  ) {
    const owner = `source ${name}`;
    super(name, options.every === undefined ? {} : { every: options.every });
    if (!(rate > 0 && Number.isFinite(rate)))
      throw new PlanError(`${owner}: rate must be above 0, not ${rate}`);
    if (!(limit >= 1)) throw new PlanError(`${owner}: limit must be above 0, not ${limit}`);
    this.#make = make;
    this.#rate = rate / 1000;
    this.#limit = limit;
    this.#catchUp = span(owner, "catchUp", options.catchUp, 10_000);
    this.#every = span(owner, "every", options.every, 1000);
  }

  override get signature(): string {
    return "generator@1";
  }

  getEvents({ offset, now, limit }: PullRequest<Offset>): Pulled<T, Offset> {
    const line = this.#lineFrom(offset, now);
    let { next } = line;
    if (next >= this.#limit) return { events: [], offset: line, next: now + DONE_MS };
    const events: PulledEvent<T>[] = [];
    let due = dueAt(next, line);
    for (; due <= now && next < this.#limit && events.length < limit; due = dueAt(++next, line)) {
      const time = Math.floor(due);
      events.push({ id: `${this.name}-${next}`, time, data: this.#make(next, time) });
    }
    return {
      events,
      offset: { ...line, next },
      next: due <= now ? now : Math.max(Math.ceil(due), now + this.#every),
    };
  }

  /** Goes on where the last call ended, unless that is too far back or the rate is another one. */
  #lineFrom(offset: Offset | undefined, now: number): Offset {
    const rate = this.#rate;
    if (offset === undefined) return { next: 0, from: 0, origin: now, rate };
    const { next } = offset;
    const due = dueAt(next, offset);
    const earliest = now - this.#every - this.#catchUp;
    if (next >= this.#limit || (due >= earliest && offset.rate === rate)) return offset;
    return { next, from: next, origin: Math.max(due, earliest), rate };
  }
}

function dueAt(n: number, { from, origin, rate }: Offset): number {
  return origin + (n - from) / rate;
}
