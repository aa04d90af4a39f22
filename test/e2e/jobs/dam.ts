/** Three stages, the last of which can be switched off: its sink fails while the bucket holds an object named `down`. */
import type { Collector, Event, SinkBatch, SinkContext, SourceCollector } from "../../../src/index.ts";
import { Job, ProcessFunction, planJobs, Sink, Source } from "../../../src/index.ts";

export interface Parcel {
  readonly id: string;
  readonly to: string;
  readonly load: string;
}

export const BUFFER_BYTES = 200_000;

class Parcels extends Source<Parcel> {
  getEvents(input: unknown, collector: SourceCollector<Parcel>): void {
    const parcel = input as Parcel;
    collector.emit(parcel, { id: parcel.id });
  }
}

class Sorted extends ProcessFunction<Parcel, Parcel> {
  apply(event: Event<Parcel>, collector: Collector<Parcel>): void {
    collector.emit(event.data);
  }
}

interface Bucket {
  head(key: string): Promise<unknown>;
  put(key: string, value: string): Promise<unknown>;
}

class Delivered extends Sink<Parcel> {
  override readonly bindings = [{ kind: "r2", binding: "DELIVERED", name: "delivered" }] as const;

  async write(batch: SinkBatch<Parcel>, { env }: SinkContext): Promise<void> {
    const bucket = env.DELIVERED as Bucket;
    if ((await bucket.head("down")) !== null) throw new Error("the road is closed");
    await bucket.put(batch.id, JSON.stringify(batch.events.map(({ id }) => id)));
  }
}

const job = new Job("dam");
job
  .addSource(new Parcels("parcels"))
  .keyBy(({ to }) => to)
  .applyOperator(new Sorted("sorted", { shards: 1 }))
  .keyBy(({ to }) => to)
  .addSink(new Delivered("delivered", { bufferBytes: BUFFER_BYTES, batchEvents: 200 }));

export const plan = planJobs([job]);
