/** Plans to draw, to estimate and to deploy: a small one of two jobs, and one with all that a graph can have. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { onTestFinished } from "vitest";
import { MARKER, workers } from "../../../scripts/plan/configs.ts";
import {
  type Collector,
  count,
  type Event,
  Job,
  type Plan,
  type PlanOptions,
  ProcessFunction,
  type Pulled,
  PullSource,
  planJobs,
  Sink,
  type SinkBinding,
  type SinkOptions,
  Source,
  type SourceCollector,
  stage,
  sum,
} from "../../../src/index.ts";

interface Order {
  readonly shop: string;
  readonly amount: number;
}

export class Orders extends Source<Order> {
  getEvents(_input: unknown, _collector: SourceCollector<Order>): void {}
}

/** Registered out of order on purpose: what is generated from it is sorted. */
export function smallPlan(): Plan {
  const visits = new Job("visits");
  const arrivals = visits.addSource(new Orders("arrivals"));
  arrivals.keyBy((it) => it.shop).aggregate("visits-per-shop", count(), { shards: 1 });

  const sales = new Job("sales");
  const orders = sales.addSource(new Orders("web-orders"));
  const paid = orders.filter((order) => order.amount > 0, "paid");
  const byShop = paid.keyBy((order) => order.shop);
  byShop.aggregate(
    "revenue",
    sum((order) => order.amount),
    { shards: 2 },
  );
  byShop.aggregate("orders-per-shop", count());
  return planJobs([visits, sales]);
}

/** The generated part of a config depends on names only. */
export function planOf(...sources: string[]): Plan {
  const job = new Job("job");
  for (const name of sources) {
    job
      .addSource(new Orders(name))
      .keyBy((it) => it.shop)
      .aggregate(`${name}-count`, count());
  }
  return planJobs([job]);
}

/** A folder with the three configs, gone after the test. */
export function configFolder(above = 'name = "mine"\r\n\n', below = ""): string {
  const root = mkdtempSync(path.join(tmpdir(), "plan-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  for (const { config } of workers) {
    const file = path.join(root, config);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, `${above}${MARKER}\n${below}`);
  }
  return root;
}

class Sessions extends ProcessFunction<Order, Order> {
  apply(_event: Event<Order>, _collector: Collector<Order>): void {}
}

class Ticks extends PullSource<Order, number> {
  getEvents(): Pulled<Order, number> {
    return { events: [], offset: 0 };
  }
}

class Lines<T> extends Sink<T> {
  override readonly bindings: readonly SinkBinding[];

  constructor(name: string, bindings: readonly SinkBinding[], options: SinkOptions = {}) {
    super(name, options);
    this.bindings = bindings;
  }

  async write(): Promise<void> {}
}

/** One job with every kind of operator, and a stage behind a shard as well as behind a source. */
export function largePlan(options?: PlanOptions): Plan {
  const job = new Job("shop", { onError: "fail" });
  const orders = job.addSource(new Orders("orders", { batchSeconds: 5 }));
  const { large, rest } = orders.split({ large: (order) => order.amount > 100 }, "sizes");
  large.applyOperator(
    stage({ name: "score", batchSize: 20, maxConsumers: 4, async apply(_event: Event<Order>) {} }),
  );
  const sessions = rest
    .union(job.addSource(new Ticks("ticks")))
    .keyBy((order) => order.shop)
    .applyOperator(new Sessions("sessions", { shards: 2 }));
  sessions.sideOutput<Order>("late").addSink(
    new Lines("late-files", [{ kind: "r2", binding: "FILES", name: "late-orders" }], {
      batchTime: "1 hour",
    }),
  );
  sessions
    .applyOperator(
      stage({ name: "locate", async apply(_event: Event<Order>, _collector: Collector<Order>) {} }),
    )
    .keyBy((order: Order) => order.shop)
    .aggregate("per-shop", count(), { shards: 1 })
    .keyBy(() => "all")
    .aggregate(
      "shops",
      sum(() => 1),
      { shards: 1 },
    )
    .addSink(new Lines("billing", [{ kind: "queue", binding: "BILLING", name: "billing" }]));
  return planJobs([job], options);
}
