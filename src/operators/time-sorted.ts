/**
 * timeSorted: gives a process function each key's events in the order of (time, id).
 *
 * Each waits until the watermark has reached its time; then nothing that belongs before it can come any more. Events go before
 * timers of the same time. An event at or before the watermark is late.
 */
import type { Collector } from "../collector.ts";
import type { Event } from "../event.ts";
import type { ProcessContext, Timer } from "../process.ts";
import { ProcessFunction } from "../process.ts";
import { LATE } from "../windows/trigger.ts";
import type { PortedEvent } from "./enrich.ts";

/** No user's state or timer has such a name; it sorts before all that they may have. */
const WAITING = "\u0001sorted ";

type Waiting<In> = readonly [id: string, data: In, port?: number];

export class TimeSorted<In, Out> extends ProcessFunction<In, Out> {
  readonly inner: ProcessFunction<In, Out>;

  constructor(inner: ProcessFunction<In, Out>) {
    super(inner.name, { ...inner.options, eventTime: true });
    this.inner = inner;
  }

  override get signature(): string {
    return `sorted:${this.inner.signature}`;
  }

  apply(event: PortedEvent<In>, _collector: Collector<Out>, context: ProcessContext): void {
    const { id, time, data, port } = event;
    if (time <= context.watermark) {
      context.late();
      return;
    }
    const waiting = context.state.list<Waiting<In>>(WAITING + time);
    waiting.add(port === undefined ? [id, data] : [id, data, port]);
    context.eventTimers.set(WAITING + time, time);
  }

  override onTimer(timer: Timer, collector: Collector<Out>, context: ProcessContext): void {
    if (!timer.name.startsWith(WAITING)) {
      this.inner.onTimer(timer, collector, context);
      return;
    }
    const waiting = context.state.list<Waiting<In>>(timer.name);
    const events = waiting.get().toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    waiting.clear();
    for (const [id, data, port] of events) {
      const event: Event<In> = { id, time: timer.time, key: timer.key, data };
      const sorted = port === undefined ? event : ({ ...event, port } as Event<In>);
      this.inner.apply(
        sorted,
        collector,
        withLate(context, () => collector.emitTo(LATE, data)),
      );
    }
  }

  /** What the function itself would show: not what waits for it. A key of which it has seen nothing yet is not shown. */
  override view(state: Readonly<Record<string, unknown>>): unknown {
    const own = Object.entries(state).filter(([name]) => !name.startsWith(WAITING));
    if (own.length === 0) return undefined;
    const seen = Object.fromEntries(own);
    return this.inner.view === undefined ? seen : this.inner.view(seen);
  }
}

/** An event that has waited is no longer the one at hand, which `late` of the context marks. */
function withLate(context: ProcessContext, late: () => void): ProcessContext {
  const { operator, key, now, state, timers, eventTimers, watermark } = context;
  return { operator, key, now, state, timers, eventTimers, watermark, late };
}
