/** Graph: a plan with every kind of operator, and knobs that make its parts slow, ill or stubborn. */
import type { Collector, Event, Plan, ProcessContext, SinkBatch, Timer } from "../../src/index.ts";
import {
  count,
  Job,
  ProcessFunction,
  PullSource,
  planJobs,
  RejectedBatchError,
  Sink,
  Stage,
} from "../../src/index.ts";
import type { Item } from "./deployment.ts";
import { ItemReader } from "./deployment.ts";

/** What a test may change while a plan runs. */
export class Knobs {
  /** What the target of the sink does with a batch. */
  sink: "takes" | "fails" | "rejects" = "takes";
  readonly written: SinkBatch<unknown>[] = [];
  /** Keys on which the stage throws. */
  readonly poison = new Set<string>();
  /** Called for each event that the stage works on. */
  onStage: (key: string) => void = () => undefined;
  /** Whether the timer's hook throws. */
  timerThrows = false;
  /** What the pull source gives next. */
  pulled: string[] = [];
}

/**
 * clicks → counts (2 shards) → [changes of "a" only] → ranks (1)
 * clicks → locate (stage) → places (2), lines (sink)
 * ticks (pull) → idle (process, timers) → lines
 * orders → amounts: no stage behind it
 */
export function graphPlan(knobs: Knobs): Plan {
  class Locate extends Stage<Item, Item> {
    override async apply({ data }: Event<Item>, collector: Collector<Item>): Promise<void> {
      knobs.onStage(data.key);
      if (knobs.poison.has(data.key)) throw new Error(`cannot locate ${data.key}`);
      await Promise.resolve();
      collector.emit({ key: `${data.key}-land` });
    }
  }

  class Idle extends ProcessFunction<string, Item> {
    override apply(event: Event<string>, _collector: Collector<Item>, { timers, now }: ProcessContext): void {
      timers.set("idle", now + 60_000);
    }

    override onTimer({ key }: Timer, collector: Collector<Item>): void {
      if (knobs.timerThrows) throw new Error("no time");
      collector.emit({ key: `${key} is idle` });
    }
  }

  class Ticks extends PullSource<string, number> {
    override getEvents({ offset = 0 }: { readonly offset: number | undefined }) {
      const events = knobs.pulled.map((data) => ({ data }));
      knobs.pulled = [];
      return { events, offset: offset + events.length };
    }
  }

  class Lines extends Sink<Item> {
    override async write(batch: SinkBatch<Item>): Promise<void> {
      if (knobs.sink === "fails") throw new Error("the disk is full");
      if (knobs.sink === "rejects") throw new RejectedBatchError("not lines");
      knobs.written.push(batch);
    }
  }

  const job = new Job("graph");
  const clicks = job.addSource(new ItemReader("clicks"));
  const lines = new Lines("lines", { batchEvents: 2 });
  clicks
    .keyBy(({ key }) => key)
    .aggregate("counts", count(), { shards: 2 })
    .filter(({ key }) => key === "a")
    .keyBy(({ key }) => key)
    .aggregate("ranks", count(), { shards: 1 });
  const located = clicks.applyOperator(new Locate("locate", { highWater: 3, retries: 0, maxConsumers: 2 }));
  located.keyBy(({ key }) => key).aggregate("places", count(), { shards: 2 });
  located.addSink(lines);
  job
    .addSource(new Ticks("ticks"))
    .keyBy((tick) => tick)
    .applyOperator(new Idle("idle", { shards: 1 }))
    .addSink(lines);
  job
    .addSource(new ItemReader("orders"))
    .keyBy(({ key }) => key)
    .aggregate("amounts", count(), { shards: 1 });
  return planJobs([job], { generation: 7 });
}
