/** The job of the event-time simulation: each construct that goes by event time, and whatever says how often it spoke. */
import type { Collector, Event, ProcessContext, SourceCollector, Stream, Timer } from "../../../src/index.ts";
import {
  count,
  distinct,
  every,
  hopping,
  Job,
  ProcessFunction,
  planJobs,
  Source,
  session,
  sum,
  tumbling,
} from "../../../src/index.ts";

export interface Tick {
  readonly id: string;
  readonly key: string;
  readonly time: number;
}

/** What the recount goes by; all spans in ms. */
export const BOUND = { left: 2_000, right: 3_000 } as const;
export const SIZE = 1_000;
export const HOP = { size: 3_000, slide: 1_000, lateness: 1_500 } as const;
export const GAP = 700;
export const QUIET = 2_500;

class Ticks extends Source<Tick> {
  getEvents(input: unknown, collector: SourceCollector<Tick>): void {
    const tick = input as Tick;
    collector.emit(tick, { time: tick.time, id: tick.id });
  }
}

/** Keeps the ids of a key's events in the order in which it saw them. */
class InOrder extends ProcessFunction<Tick, never> {
  apply({ data }: Event<Tick>, _: Collector<never>, { state }: ProcessContext): void {
    state.list<string>("seen").add(data.id);
  }
}

/** Tells when a key has been quiet for a while, in event time. */
class Quiet extends ProcessFunction<Tick, string> {
  apply({ time }: Event<Tick>, _: Collector<string>, context: ProcessContext): void {
    if (time <= context.watermark) {
      context.late();
      return;
    }
    context.eventTimers.set(`${time}`, time + QUIET);
  }

  override onTimer({ key, time }: Timer, collector: Collector<string>): void {
    collector.emit(`${key} ${time - QUIET}`);
  }
}

export function eventTimePlan(shards: number) {
  const job = new Job("event-time");
  const options = { shards };
  const keyed = (side: "left" | "right") =>
    job.addSource(new Ticks(side, { outOfOrderness: BOUND[side] })).keyBy(({ key }) => key);
  const left = keyed("left");
  const right = keyed("right");
  /** How often each thing was said. */
  const said = (name: string, stream: Stream<string>) =>
    stream.keyBy((text) => text).aggregate(name, count(), options);
  const late = (name: string, stream: Stream<Tick>) =>
    said(
      name,
      stream.map(({ id }) => id),
    );

  const tumbled = left.window(tumbling(SIZE)).aggregate("tumbled", count(), options);
  said(
    "panes",
    tumbled.map(({ key, window, pane }) => `${window.start} ${key} ${pane.timing}`),
  );
  tumbled
    .keyBy(() => "all")
    .window(tumbling(SIZE))
    .aggregate(
      "totals",
      sum(({ value }) => value),
      options,
    );
  late("late-tumbled", tumbled.late);

  left.window(tumbling(SIZE)).aggregate(
    "combined",
    distinct(({ id }) => id),
    options,
  );
  const hopped = left
    .window(hopping(HOP.size, HOP.slide), { lateness: HOP.lateness, early: every(800) })
    .aggregate("hopped", count(), options);
  // The latest that each window said.
  hopped
    .keyBy(({ key, window }) => `${window.start} ${key}`)
    .aggregate(
      "hopped-last",
      sum(({ value, previous = 0 }) => value - previous),
      options,
    );
  late("late-hopped", hopped.late);

  right.window(session(GAP), { lateness: 1_000_000_000 }).aggregate("sessions", count(), options);
  const sorted = left.applyOperator(new InOrder("sorted", { ...options, timeSorted: true }));
  late("late-sorted", sorted.sideOutput<Tick>("late"));
  const quiet = left.applyOperator(new Quiet("quiet", { ...options, eventTime: true }));
  said("quieted", quiet);
  const joined = left
    .window(tumbling(SIZE))
    .join("joined", right, (l, r, { start }) => `${start} ${l.id} ${r.id}`, options);
  said("pairs", joined);
  late("late-joined", joined.late);
  return planJobs([job]);
}
