/** A job of several stages, for the end-to-end tests: a process function, two aggregates in a row, and a stage. */
import type { Collector, Event, ProcessContext, SourceCollector } from "../../../src/index.ts";
import { count, Job, ProcessFunction, planJobs, Source, stage, sum } from "../../../src/index.ts";

export interface Order {
  readonly id: string;
  readonly customer: string;
  readonly product: string;
}

class Orders extends Source<Order> {
  getEvents(input: unknown, collector: SourceCollector<Order>): void {
    const order = input as Order;
    collector.emit(order, { id: order.id });
  }
}

/** Numbers the orders of each customer. */
class Numbered extends ProcessFunction<Order, Order & { readonly n: number }> {
  apply(event: Event<Order>, collector: Collector<Order & { n: number }>, context: ProcessContext): void {
    const orders = context.state.value<number>("orders");
    const n = (orders.get() ?? 0) + 1;
    orders.set(n);
    collector.emit({ ...event.data, n });
  }
}

const job = new Job("chain");
const orders = job.addSource(new Orders("orders"));
const numbered = orders.keyBy(({ customer }) => customer).applyOperator(new Numbered("per-customer"));
const products = numbered.keyBy(({ product }) => product).aggregate("per-product", count());
products
  .keyBy(({ key }) => key.slice(0, 1))
  .aggregate(
    "per-letter",
    sum(({ value, previous = 0 }) => value - previous),
  );
orders
  .applyOperator(
    stage({
      name: "checked",
      concurrency: 20,
      async apply(event: Event<Order>, collector: Collector<Order>) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        collector.emit(event.data);
      },
    }),
  )
  .keyBy(({ customer }) => customer)
  .aggregate("checked-per-customer", count());

export const jobs = [job];
export const plan = planJobs(jobs);
