/** Three stages, the second of which waits at a gate: it asks a server that the event names, and fails while that is down. */
import type { Collector, Event, SourceCollector } from "../../../src/index.ts";
import { count, Job, ProcessFunction, planJobs, Source, stage } from "../../../src/index.ts";

export interface Visitor {
  readonly id: string;
  readonly name: string;
  /** The URL of the gate. */
  readonly gate: string;
}

export const HIGH_WATER = 20;

class Visitors extends Source<Visitor> {
  getEvents(input: unknown, collector: SourceCollector<Visitor>): void {
    const visitor = input as Visitor;
    collector.emit(visitor, { id: visitor.id });
  }
}

class Greeted extends ProcessFunction<Visitor, Visitor> {
  apply(event: Event<Visitor>, collector: Collector<Visitor>): void {
    collector.emit(event.data);
  }
}

const job = new Job("gate");
job
  .addSource(new Visitors("visitors"))
  .keyBy(({ name }) => name)
  .applyOperator(new Greeted("greeted", { shards: 1 }))
  .applyOperator(
    stage({
      name: "let-in",
      concurrency: 10,
      highWater: HIGH_WATER,
      retries: 20,
      async apply({ data }: Event<Visitor>, collector: Collector<Visitor>) {
        const answer = await fetch(data.gate);
        await answer.body?.cancel();
        if (!answer.ok) throw new Error("the gate is closed");
        collector.emit(data);
      },
    }),
  )
  .keyBy(({ name }) => name)
  .aggregate("inside", count());

export const plan = planJobs([job]);
