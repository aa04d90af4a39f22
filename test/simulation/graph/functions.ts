/** Functions: the operators, stages, sinks and sources of simulated jobs, as users would write them. */
import type {
  Aggregator,
  Collector,
  Event,
  ProcessContext,
  Pulled,
  PullRequest,
  SinkBatch,
  SinkContext,
  SourceCollector,
  Timer,
} from "../../../src/index.ts";
import { InvalidEventError, ProcessFunction, PullSource, Sink, Source, Stage } from "../../../src/index.ts";
import type { Datum } from "./semantics.ts";
import { isOdd, ODD, passed, weightOf } from "./semantics.ts";
import type { AggregateSpec, ProcessSpec, PullSpec, SinkSpec, StageSpec } from "./spec.ts";

/** What a job's code meets outside; the world decides when it answers, and whether. */
export interface Outside {
  /** A stage's work on an event: takes its time, may fail. @returns the number of the run. */
  work(stage: string, event: Event<Datum>): Promise<number>;
  /** A poller's request takes its time, and may fail. */
  poll(source: string): Promise<void>;
}

/** What a sink finds in its `env`. */
export interface Writer {
  write(sink: SinkSpec, batch: SinkBatch<Datum>): Promise<void>;
}

/** Throws where the spec says that the version's code fails. */
export type Trip = (datum: Datum) => void;

/** One record as it is sent. */
export interface SentRecord extends Datum {
  readonly invalid?: boolean;
}

export class SentSource extends Source<Datum> {
  constructor(name: string, outOfOrderness: number) {
    super(name, { outOfOrderness });
  }

  getEvents(input: unknown, collector: SourceCollector<Datum>): void {
    const { invalid, ...datum } = input as SentRecord;
    if (invalid === true) throw new InvalidEventError("invalid");
    collector.emit(datum, { id: datum.id, time: datum.time });
  }
}

/** The event that a pull source has at an offset. */
export function pulledAt(source: string, offset: number): Datum {
  const id = `${source}:${offset}`;
  return { id, key: `k${(offset * 7) % 9}`, v: (offset * 13) % 10, time: 1_750_000_000_000 + offset * 1_000 };
}

export class CountingSource extends PullSource<Datum, number> {
  readonly spec: PullSpec;
  readonly outside: Outside;

  constructor(spec: PullSpec, outside: Outside) {
    super(spec.name, { every: "1 second" });
    this.spec = spec;
    this.outside = outside;
  }

  async getEvents({ offset = 0, now }: PullRequest<number>): Promise<Pulled<Datum, number>> {
    const { name, most, total } = this.spec;
    await this.outside.poll(name);
    const end = Math.min(offset + most, total);
    const events = [];
    for (let at = offset; at < end; at++) {
      const data = pulledAt(name, at);
      events.push({ data, time: data.time, id: data.id });
    }
    return { events, offset: end, ...(end < total && end % 2 === 0 ? { next: now } : {}) };
  }
}

/** @param fragile throws for a partial of the fragile sort. */
export function aggregator(
  { fn }: AggregateSpec,
  trip: Trip,
  isPoison: (datum: Datum) => boolean,
  mended: boolean,
): Aggregator<Datum, unknown, number> {
  if (fn === "fragile") {
    const fragile: Aggregator<Datum, { sum: number; poison: number }, number> = {
      signature: "fragile@1",
      create: () => ({ sum: 0, poison: 0 }),
      add: (acc, { data }) => {
        acc.sum += weightOf(data);
        if (isPoison(data)) acc.poison = 1;
        return acc;
      },
      merge: (left, right) => {
        left.sum += right.sum;
        if (right.poison === 1 && !mended) throw new Error("broken until mended");
        return left;
      },
      result: ({ sum }) => sum,
    };
    return fragile as Aggregator<Datum, unknown, number>;
  }
  const plain: Aggregator<Datum, number, number> = {
    signature: `${fn}@1`,
    growing: fn === "count",
    create: () => 0,
    add: (acc, { data }) => {
      trip(data);
      return acc + (fn === "count" ? 1 : weightOf(data));
    },
    merge: (left, right) => left + right,
    result: (acc) => acc,
  };
  return plain as Aggregator<Datum, unknown, number>;
}

export class SimulatedProcess extends ProcessFunction<Datum, Datum> {
  readonly spec: ProcessSpec;
  readonly trip: Trip;

  constructor(spec: ProcessSpec, trip: Trip) {
    super(spec.name, { shards: spec.shards });
    this.spec = spec;
    this.trip = trip;
  }

  override get signature(): string {
    return `${this.spec.fn}@1`;
  }

  /** What throws does so at the end: then nothing of what it did before may count. */
  apply(
    { data }: Event<Datum>,
    collector: Collector<Datum>,
    { state, timers, key, now }: ProcessContext,
  ): void {
    const { name, fn, delay } = this.spec;
    switch (fn) {
      case "number": {
        const n = state.value<number>("n");
        n.set((n.get() ?? 0) + 1);
        collector.emit(passed(name, data));
        break;
      }
      case "dedupe": {
        const seen = state.map<1>("seen");
        const v = String(data.v ?? 0);
        if (!seen.has(v)) collector.emit({ id: `${name}:${key}#${v}`, key, v: Number(v) });
        seen.set(v, 1);
        break;
      }
      case "once":
        if (state.value("set").get() === undefined) timers.set("once", now + delay);
        state.value("set").set(true);
        break;
      case "total": {
        const total = state.value<number>("total");
        const waiting = state.value<number>("waiting");
        total.set((total.get() ?? 0) + weightOf(data));
        waiting.set((waiting.get() ?? 0) + weightOf(data));
        if (timers.get("flush") === undefined) timers.set("flush", now + delay);
        break;
      }
      case "fleeting":
        state.value("recent", { ttl: "1 minute" }).set(data.v ?? 0);
        collector.emit(passed(name, data));
    }
    if (fn !== "once" && fn !== "total") this.trip(data);
  }

  override onTimer(_timer: Timer, collector: Collector<Datum>, { state, key }: ProcessContext): void {
    const { name, fn } = this.spec;
    if (fn === "once") {
      collector.emit({ id: `${name}:${key}`, key, v: 1 });
    } else {
      const waiting = state.value<number>("waiting");
      collector.emit({ key, v: waiting.get() ?? 0 });
      waiting.clear();
    }
    this.trip({ key });
  }
}

export class SimulatedStage extends Stage<Datum, Datum> {
  readonly outside: Outside;
  readonly trip: Trip;

  constructor({ name, shards, concurrency }: StageSpec, outside: Outside, trip: Trip) {
    super(name, { shards, concurrency, retries: 1 });
    this.outside = outside;
    this.trip = trip;
  }

  async apply(event: Event<Datum>, collector: Collector<Datum>): Promise<void> {
    const { name } = this;
    const { data } = event;
    const run = await this.outside.work(name, event);
    this.trip(data);
    const through = passed(name, data);
    const runs = { ...data.runs, [name]: [data.id ?? "", run] as const };
    const out = data.id === undefined ? through : { ...through, runs };
    if (isOdd(name, data)) collector.emitTo(ODD, out);
    else collector.emit(out);
  }
}

export class SimulatedSink extends Sink<Datum> {
  readonly spec: SinkSpec;

  constructor(spec: SinkSpec) {
    const { name, shards, batchEvents, bufferBytes, hourly } = spec;
    super(name, { shards, batchEvents, bufferBytes, hourly, batchTime: spec.batchMs });
    this.spec = spec;
  }

  async write(batch: SinkBatch<Datum>, { env }: SinkContext): Promise<void> {
    await (env.writer as Writer).write(this.spec, batch);
  }
}
