/** A job that emits for each event, into sinks that keep whole batches: for comparing what runtimes make of it. */
import type {
  Collector,
  Event,
  ProcessContext,
  SinkBatch,
  SinkContext,
  SourceCollector,
} from "../../../src/index.ts";
import { count, Job, ProcessFunction, planJobs, Sink, Source } from "../../../src/index.ts";

export interface Reading {
  readonly id: string;
  readonly time: number;
  readonly sensor: string;
  readonly values: readonly number[];
}

interface Value {
  readonly sensor: string;
  readonly value: number;
}

class Readings extends Source<Reading> {
  getEvents(input: unknown, collector: SourceCollector<Reading>): void {
    const reading = input as Reading;
    collector.emit(reading, { id: reading.id, time: reading.time });
  }
}

/** What the sink needs of its bucket. */
export interface Bucket {
  put(key: string, value: string): Promise<unknown>;
}

/** Keeps each batch as one object under its id. */
class Batches<T> extends Sink<T> {
  override readonly bindings = [{ kind: "r2", binding: "BATCHES", name: "batches" }] as const;

  async write(batch: SinkBatch<T>, { env }: SinkContext): Promise<void> {
    await (env.BATCHES as Bucket).put(batch.id, JSON.stringify(batch.events));
  }
}

/** Passes each value on with its place among those of its sensor; every tenth goes to the side as well. */
class Numbered extends ProcessFunction<Value, Value & { readonly n: number }> {
  apply(event: Event<Value>, collector: Collector<Value & { n: number }>, context: ProcessContext): void {
    const seen = context.state.value<number>("seen");
    const n = (seen.get() ?? 0) + 1;
    seen.set(n);
    collector.emit({ ...event.data, n });
    if (n % 10 === 0) collector.emitTo("tenth", event.data.sensor);
  }
}

export const job = new Job("mirror");
const readings = job.addSource(new Readings("readings"));
const numbered = readings
  .filter(({ sensor }) => sensor !== "broken")
  .flatMap(({ sensor, values }) => values.map((value) => ({ sensor, value })))
  .map(({ sensor, value }) => ({ sensor, value: value * 2 }))
  .keyBy(({ sensor }) => sensor)
  .applyOperator(new Numbered("numbered"));
numbered.addSink(new Batches("all", { shards: 2 }));
numbered.sideOutput<string>("tenth").addSink(new Batches("tenths"));
numbered.keyBy(({ value }) => String(value % 100)).aggregate("per-value", count());

export const plan = planJobs([job]);
