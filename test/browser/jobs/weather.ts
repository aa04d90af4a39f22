/** A register for the overview: a shop that counts its page views, and a weather station whose views hold anything but counts. */
import type { Event, SourceCollector } from "../../../src/index.ts";
import { Aggregate, count, Job, last, planJobs, Source, top, tumbling } from "../../../src/index.ts";
import { ClickReader } from "../../../workers/jobs/clickstream/click-reader.ts";

const shop = new Job("shop");
const byUrl = shop.addSource(new ClickReader("clicks")).keyBy(({ url }) => url);
byUrl.aggregate("visits", count());
byUrl.window(tumbling("1 minute")).aggregate("visits-per-minute", count());

interface Reading {
  readonly station: string;
  readonly wind: number;
  readonly from: string;
}

class Readings extends Source<Reading> {
  getEvents(input: unknown, collector: SourceCollector<Reading>): void {
    collector.emit(input as Reading);
  }
}

interface Wind {
  readonly readings: number;
  readonly strongest: number;
}

class Winds extends Aggregate<Reading, Wind, Wind> {
  override get signature(): string {
    return "winds@1";
  }

  create(): Wind {
    return { readings: 0, strongest: 0 };
  }

  add({ readings, strongest }: Wind, { data }: Event<Reading>): Wind {
    return { readings: readings + 1, strongest: Math.max(strongest, data.wind) };
  }

  merge(left: Wind, right: Wind): Wind {
    return {
      readings: left.readings + right.readings,
      strongest: Math.max(left.strongest, right.strongest),
    };
  }

  result(wind: Wind): Wind {
    return wind;
  }
}

const STORM = 100;

const weather = new Job("weather");
const byStation = weather.addSource(new Readings("readings")).keyBy(({ station }) => station);
byStation.window(tumbling("1 hour")).applyOperator(new Winds("winds-per-hour"));
byStation.aggregate(
  "warnings",
  last(({ wind }) => ({ state: wind > STORM ? "raised" : "resolved", wind })),
);
byStation.aggregate(
  "directions",
  top(3, ({ from }) => from),
);

export const plan = planJobs([shop, weather]);
