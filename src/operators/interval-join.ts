/**
 * interval join: pairs events of two keyed streams whose times are near each other.
 *
 * ```ts
 * orders.keyBy((o) => o.id)
 *   .intervalJoin("paid-orders", payments.keyBy((p) => p.order), { lower: 0, upper: "1 hour" },
 *     (order, payment) => ({ ...order, paid: payment.amount }))
 * ```
 *
 * A left and a right event are paired when `right.time − left.time` lies in `[lower, upper]`, both ends included: at once,
 * with the later of both times as event time. An event at or before the watermark is late. State is dropped, some at a time,
 * when the watermark has passed what it could still be paired with. Source: Flink's `IntervalJoinOperator`, which takes
 * events at the watermark as well, but has dropped by then some of what they could be paired with.
 */
import { MAX_TIME } from "../clock.ts";
import type { Collector } from "../collector.ts";
import { parseDuration } from "../duration.ts";
import { messageOf, PlanError } from "../errors.ts";
import type { ProcessContext, ProcessOptions, Timer } from "../process.ts";
import { ProcessFunction } from "../process.ts";
import type { PortedEvent } from "./enrich.ts";
import type { Row } from "./rows.ts";
import { byTime } from "./rows.ts";
import { RIGHT_PORT } from "./window-join.ts";

/** Milliseconds, or words like "5 minutes" or "-5 minutes". */
export interface Interval {
  readonly lower: number | string;
  readonly upper: number | string;
}

/** An interval is cut into so many buckets of state: a join looks into one or two more, and drops state that much too late. */
const BUCKETS = 8;

export class IntervalJoinFunction<T, U, V> extends ProcessFunction<T | U, V> {
  readonly lower: number;
  readonly upper: number;
  readonly fn: (left: T, right: U) => V;
  /** Milliseconds of one bucket of state. */
  readonly #width: number;

  /** @throws PlanError when the interval is none. */
  constructor(
    name: string,
    { lower, upper }: Interval,
    fn: (left: T, right: U) => V,
    options: ProcessOptions = {},
  ) {
    super(name, { ...options, eventTime: true });
    this.lower = boundOf(name, "lower", lower);
    this.upper = boundOf(name, "upper", upper);
    if (this.lower > this.upper)
      throw new PlanError(`intervalJoin ${name}: lower, ${this.lower} ms, is above upper, ${this.upper} ms`);
    this.#width = Math.ceil((this.upper - this.lower + 1) / BUCKETS);
    this.fn = fn;
  }

  override get signature(): string {
    return `interval-join:${this.lower}:${this.upper}@1`;
  }

  apply(event: PortedEvent<T | U>, collector: Collector<V>, context: ProcessContext): void {
    const { time, id, data } = event;
    if (time <= context.watermark) {
      context.late();
      return;
    }
    const isRight = event.port === RIGHT_PORT;
    const [own, other] = isRight ? ["r", "l"] : ["l", "r"];
    // Of the other side: the times that it may have.
    const [from, to] = isRight
      ? [time - this.upper, time - this.lower]
      : [time + this.lower, time + this.upper];
    for (let bucket = this.#bucketOf(from); bucket <= this.#bucketOf(to); bucket++) {
      for (const row of byTime(context.state.list<Row<T | U>>(other + bucket).get())) {
        if (row[0] < from || row[0] > to) continue;
        const [left, right] = isRight ? [row[2], data] : [data, row[2]];
        collector.emit(this.fn(left as T, right as U), { time: Math.max(time, row[0]) });
      }
    }
    const bucket = this.#bucketOf(time);
    context.state.list<Row<T | U>>(own + bucket).add([time, id, data]);
    // What comes later than this is too far from the last of the bucket.
    const reach = isRight ? Math.max(0, -this.lower) : Math.max(0, this.upper);
    context.eventTimers.set(own + bucket, Math.min((bucket + 1) * this.#width - 1 + reach, MAX_TIME));
  }

  override onTimer({ name }: Timer, _collector: Collector<V>, { state }: ProcessContext): void {
    state.list(name).clear();
  }

  #bucketOf(time: number): number {
    return Math.floor(time / this.#width);
  }
}

function boundOf(name: string, which: string, bound: number | string): number {
  let ms: number;
  try {
    ms = typeof bound === "number" ? bound : signedDuration(bound);
  } catch (error) {
    throw new PlanError(`intervalJoin ${name}: ${which}: ${messageOf(error)}`, { cause: error });
  }
  if (Number.isSafeInteger(ms)) return ms;
  throw new PlanError(`intervalJoin ${name}: ${which} is whole milliseconds, not ${bound}`);
}

/** @throws RangeError when it is no duration, with or without a minus sign. */
function signedDuration(text: string): number {
  const trimmed = text.trim();
  return trimmed.startsWith("-") ? -parseDuration(trimmed.slice(1)) : parseDuration(trimmed);
}
