/** A small plan of two jobs, with most of what a graph can have. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { onTestFinished } from "vitest";
import { MARKER, workers } from "../../../scripts/plan/configs.ts";
import { count, Job, type Plan, planJobs, Source, type SourceCollector, sum } from "../../../src/index.ts";

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
