/**
 * Ad events as the generator of the Yahoo Streaming Benchmark makes them: every field is drawn evenly, so a third are views.
 *
 * Its `make-kafka-event-at` shifts times by at most 50 ms, and one in 100,000 by up to a minute. Here they are behind by up
 * to the bound, so that requests overlap, and one in 1,000 by up to a minute more, so that there is something to be late.
 */
import { Random } from "../../../src/testing/random.ts";
import type { AdEvent } from "../../../workers/jobs/ysb/ad-event.ts";
import { adTypes, eventTypes } from "../../../workers/jobs/ysb/ad-event.ts";
import { ADS_PER_CAMPAIGN, adName, CAMPAIGNS } from "../../../workers/jobs/ysb/campaigns.ts";

export interface AdEventOptions {
  readonly events: number;
  /** 1 by default. */
  readonly seed?: number;
  /** Events per second of event time; 1,000 by default. */
  readonly rate?: number;
  /** How far an event is behind at most, unless it is one of the late ones: milliseconds, 5,000 by default. */
  readonly bound?: number;
  /** One in so many is behind by up to a minute more; 1,000 by default. */
  readonly lateOneIn?: number;
}

/** An event whose time is a number. */
export type TimedAdEvent = AdEvent & { readonly event_time: number };

/** Not on the border of a window. */
const START = Date.UTC(2015, 11, 16, 9, 0, 3, 141);
const USERS = 100;
const PAGES = 100;
const MOST_LATE_MS = 60_000;

/** The same for the same options. */
export function* adEvents(options: AdEventOptions): Generator<TimedAdEvent> {
  const { events, seed = 1, rate = 1_000, bound = 5_000, lateOneIn = 1_000 } = options;
  const random = new Random(seed);
  for (let n = 0; n < events; n++) {
    const due = START + Math.floor((n * 1_000) / rate);
    const late = random.below(lateOneIn) === 0 ? random.below(MOST_LATE_MS) : 0;
    yield {
      user_id: `user-${random.below(USERS)}`,
      page_id: `page-${random.below(PAGES)}`,
      ad_id: adName(random.below(CAMPAIGNS * ADS_PER_CAMPAIGN)),
      ad_type: pick(random, adTypes),
      event_type: pick(random, eventTypes),
      event_time: due - random.below(bound) - late,
      ip_address: "1.2.3.4",
    };
  }
}

function pick<T>(random: Random, list: readonly T[]): T {
  return list[random.below(list.length)] as T;
}
