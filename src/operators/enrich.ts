/**
 * enrich: joins each event with the latest value that a table stream has for its key.
 *
 * ```ts
 * orders.keyBy((order) => order.customer)
 *   .enrich("orders-with-names", customers.keyBy((customer) => customer.id),
 *     (order, customer) => ({ ...order, name: customer?.name ?? "unknown" }))
 * ```
 *
 * Latest is by event time, ties by event id, so tables that arrive out of order end up the same. An event that comes
 * before its key's first value is joined with `undefined`; it does not wait. Source: Kafka Streams' KStream–KTable left join.
 */
import type { Collector } from "../collector.ts";
import type { Event } from "../event.ts";
import type { ProcessContext, ProcessOptions } from "../process.ts";
import { ProcessFunction } from "../process.ts";

/** An event as a process function with several inputs gets it. */
export interface PortedEvent<T> extends Event<T> {
  /** The input that it came in by; absent for the first. */
  readonly port?: number;
}

/** `[time, id, data]` */
type Row<U> = readonly [number, string, U];

export const TABLE_PORT = 1;

export class EnrichFunction<T, U, V> extends ProcessFunction<T | U, V> {
  readonly fn: (data: T, table: U | undefined, event: Event<T>) => V;

  constructor(
    name: string,
    fn: (data: T, table: U | undefined, event: Event<T>) => V,
    options?: ProcessOptions,
  ) {
    super(name, options);
    this.fn = fn;
  }

  override get signature(): string {
    return "enrich@1";
  }

  apply(event: PortedEvent<T | U>, collector: Collector<V>, { state }: ProcessContext): void {
    const latest = state.value<Row<U>>("latest");
    const row = latest.get();
    if (event.port !== TABLE_PORT) {
      collector.emit(this.fn(event.data as T, row?.[2], event as Event<T>));
      return;
    }
    const [time, id] = row ?? [Number.NEGATIVE_INFINITY, ""];
    if (event.time > time || (event.time === time && event.id > id)) {
      latest.set([event.time, event.id, event.data as U]);
    }
  }
}
