/** The job of the simulation in two versions that route differently, as before and after a deploy. */

import type { Plan, SourceCollector } from "../../src/index.ts";
import { count, InvalidEventError, Job, planJobs, Source, sum } from "../../src/index.ts";
import type { Order, Version } from "./recount.ts";

class Orders extends Source<Order> {
  getEvents(input: unknown, collector: SourceCollector<Order>): void {
    const order = input as Order;
    if (order.fault === "invalid") throw new InvalidEventError("invalid");
    collector.emit(order);
  }
}

/** Two branches: views per page, and the sum of all amounts (none, one or several per order) per digit. */
export function planOf(version: Version): Plan {
  const job = new Job("shop");
  const orders = job.addSource(new Orders("orders"));
  orders
    .keyBy(version === "old" ? (order) => order.page : (order) => `${order.page}/`)
    .aggregate("views", count(), { shards: 3 });
  orders
    .filter((order) => order.fault !== "dropped")
    .map((order) => {
      if (order.fault === "throws") throw new Error("throws");
      return order;
    })
    .flatMap((order) =>
      order.amounts.map((amount, n) => ({ amount, broken: order.fault === "half" && n === 1 })),
    )
    .keyBy(version === "old" ? ({ amount }) => `digit ${amount % 10}` : ({ amount }) => `digit ${amount % 7}`)
    .aggregate(
      "sums",
      sum(({ amount, broken }: { amount: number; broken: boolean }) => (broken ? Number.NaN : amount)),
      { shards: 2 },
    );
  return planJobs([job]);
}

export const VERSIONS: readonly Version[] = ["old", "new"];
export const OPERATORS = ["views", "sums"] as const;
export type OperatorName = (typeof OPERATORS)[number];
