/**
 * cron: a source of one event at each instant of a schedule.
 *
 * ```ts
 * const nights = job.addSource(cron("nightly", "0 3 * * *", (time) => ({ day: time }), { timezone: "Europe/Berlin" }));
 * ```
 *
 * The schedule is five fields, minute to weekday, or six with seconds in front. Each instant from the source's first
 * start on gives exactly one event, whose id is `{name}-{instant}`; instants that were missed while nothing ran are made
 * up for, in order, all of them.
 *
 * Where clocks are turned: a schedule with one time a day comes once that day, after the gap if its time is in it; one
 * with several goes on with every occurrence of a time that comes twice, and skips times that there are not. Parsing and
 * calendar are croner's.
 */
import { Cron } from "croner";
import { messageOf, PlanError } from "../errors.ts";
import type { Pulled, PulledEvent, PullRequest } from "../source.ts";
import { PullSource } from "../source.ts";

export interface CronOptions {
  /** UTC by default. */
  readonly timezone?: string;
}

/**
 * @param make the event of an instant, epoch milliseconds, which is also its event time.
 * @throws PlanError when the schedule or the time zone is none.
 */
export function cron<T>(
  name: string,
  schedule: string,
  make: (time: number) => T,
  options: CronOptions = {},
): CronSource<T> {
  return new CronSource(name, schedule, make, options);
}

/** A deployment with another schedule takes effect within this time, however far off the next instant was. */
const LOOK_MS = 3_600_000;

/** Instants of one call: one takes up to half a millisecond to find. */
const AT_ONCE = 500;

/** The offset is the last instant that is settled, epoch milliseconds. */
export class CronSource<T> extends PullSource<T, number> {
  readonly #make: (time: number) => T;
  readonly #schedule: Cron;

  constructor(
    name: string,
    schedule: string,
    make: (time: number) => T,
    { timezone = "UTC" }: CronOptions = {},
  ) {
    super(name, { every: 0, limit: AT_ONCE });
    this.#make = make;
    // The way without a calendar of time zones is several times as fast.
    const where = timezone === "UTC" ? { utcOffset: 0 } : { timezone };
    try {
      // It would take a date for a schedule of one instant.
      if (/^\d{4}-/.test(schedule.trim())) throw new Error("it is a date");
      this.#schedule = new Cron(schedule, { ...where, mode: "5-or-6-parts" });
      // A time zone that there is not shows only in use.
      this.#schedule.nextRun(new Date(0));
    } catch (error) {
      throw new PlanError(
        `source ${name}: ${JSON.stringify(schedule)} in ${timezone} is no schedule (${messageOf(error)}); write it like "*/5 * * * *"`,
      );
    }
  }

  override get signature(): string {
    return "cron@1";
  }

  getEvents({ offset: last, now, limit }: PullRequest<number>): Pulled<T, number> {
    // What was before the first start is not missed.
    let offset = last ?? now;
    const events: PulledEvent<T>[] = [];
    let next = this.#after(offset);
    for (; next <= now && events.length < limit; next = this.#after(offset)) {
      events.push({ id: `${this.name}-${new Date(next).toISOString()}`, time: next, data: this.#make(next) });
      offset = next;
    }
    return { events, offset, next: Math.max(now, Math.min(next, now + LOOK_MS)) };
  }

  /** The first instant after a time; infinity when there is none. */
  #after(time: number): number {
    return this.#schedule.nextRun(new Date(time))?.getTime() ?? Number.POSITIVE_INFINITY;
  }
}
