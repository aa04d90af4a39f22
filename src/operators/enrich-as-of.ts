/**
 * enrichAsOf: joins each event with the value that a table stream had for its key at the event's own time.
 *
 * ```ts
 * orders.keyBy((o) => o.currency)
 *   .enrichAsOf("orders-in-euros", rates.keyBy((r) => r.currency), (order, rate) => ({ ...order, euros: order.amount * (rate?.rate ?? 0) }))
 * ```
 *
 * An event waits until the watermark has reached its time, so that all rows up to then are there, and gets the latest of
 * them (ties by id), or `undefined`. Rows that no event to come can want any more are dropped. An event at or before the
 * watermark is late; so is a row, unless it is the newest of those. Source: Flink's event-time temporal table join.
 */
import type { Collector } from "../collector.ts";
import type { Event } from "../event.ts";
import type { ProcessContext, ProcessOptions, Timer } from "../process.ts";
import { ProcessFunction } from "../process.ts";
import type { PortedEvent } from "./enrich.ts";
import { TABLE_PORT } from "./enrich.ts";
import type { Row } from "./rows.ts";
import { byTime } from "./rows.ts";

const ROWS = "rows";
const EVENTS = "e";

export class EnrichAsOfFunction<T, U, V> extends ProcessFunction<T | U, V> {
  readonly fn: (data: T, table: U | undefined, event: Event<T>) => V;

  constructor(
    name: string,
    fn: (data: T, table: U | undefined, event: Event<T>) => V,
    options: ProcessOptions = {},
  ) {
    super(name, { ...options, eventTime: true });
    this.fn = fn;
  }

  override get signature(): string {
    return "enrich-as-of@1";
  }

  apply(event: PortedEvent<T | U>, _collector: Collector<V>, context: ProcessContext): void {
    const { time, id, data } = event;
    const { state, eventTimers, watermark } = context;
    if (event.port === TABLE_PORT) {
      const rows = state.list<Row<U>>(ROWS);
      const row: Row<U> = [time, id, data as U];
      const all = byTime([...rows.get(), row]);
      if (time <= watermark && all.findLast(([at]) => at <= watermark) !== row) {
        context.late();
        return;
      }
      rows.set(all);
      // A key that only the table knows is tidied as well; moving the timer on with each row would put that off for ever.
      if (eventTimers.get(ROWS) === undefined) eventTimers.set(ROWS, time);
      return;
    }
    if (time <= watermark) {
      context.late();
      return;
    }
    state.list<Row<T>>(EVENTS + time).add([time, id, data as T]);
    eventTimers.set(EVENTS + time, time);
  }

  override onTimer({ name, time, key }: Timer, collector: Collector<V>, context: ProcessContext): void {
    const { state, eventTimers } = context;
    const rows = state.list<Row<U>>(ROWS);
    const current = rows.get().findLast((row) => row[0] <= time);
    if (name === ROWS) {
      const newest = rows.get().at(-1);
      if (newest !== undefined && newest[0] > time) eventTimers.set(ROWS, newest[0]);
    } else {
      const events = state.list<Row<T>>(name);
      for (const [, id, data] of byTime(events.get())) {
        collector.emit(this.fn(data, current?.[2], { id, time, key, data }));
      }
      events.clear();
    }
    if (current !== undefined) rows.set(rows.get().filter((row) => row === current || row[0] > time));
  }
}
