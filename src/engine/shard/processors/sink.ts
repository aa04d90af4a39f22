/** SinkProcessor: buffers the events of a sink in durable state, numbered, until a batch with them is written. */
import type { Event } from "../../../event.ts";
import type { SinkPlan } from "../../../plan.ts";
import type { PackedEvent } from "../../segment.ts";
import { unpackEvent } from "../../segment.ts";
import type { SinkCounters } from "../counters.ts";
import { sinkOf } from "../counters.ts";
import type { DeadLetter } from "../protocol.ts";
import type { InputRecord, Processor, Scratch } from "../scratch.ts";

/** `[source, key, event]` as it is stored. */
type Buffered = readonly [source: string, key: string, event: PackedEvent];

export interface BufferedEvent {
  readonly number: number;
  readonly source: string;
  readonly event: Event<unknown>;
}

export class SinkProcessor implements Processor {
  readonly growing = false;
  readonly #operator: SinkPlan;

  constructor(operator: SinkPlan) {
    this.#operator = operator;
  }

  keysOf(): string[] {
    return [];
  }

  apply({ segment, key, partial }: InputRecord, scratch: Scratch): "applied" {
    const sink = sinkOf(scratch.counters);
    this.#closeHour(sink, scratch.now);
    const buffered: Buffered = [segment.source, key, partial as PackedEvent];
    sink.last++;
    sink.bytes += JSON.stringify(partial).length;
    if (sink.opened === 0) sink.opened = scratch.now;
    scratch.put(bufferKey(sink.last), buffered);
    return "applied";
  }

  remains({ key, partial }: InputRecord): Pick<DeadLetter, "event"> {
    return { event: unpackEvent(partial as PackedEvent, key, this.#operator.keyed) };
  }

  result(value: unknown): unknown {
    return value;
  }

  buffered(key: string, value: unknown): BufferedEvent {
    const [source, eventKey, event] = value as Buffered;
    return { number: Number(key), source, event: unpackEvent(event, eventKey, this.#operator.keyed) };
  }

  /** When the buffer is due to be written, epoch milliseconds; undefined while there is nothing to write. */
  dueAt(sink: SinkCounters | undefined): number | undefined {
    if (sink === undefined) return undefined;
    if (sink.batch !== undefined) return 0;
    if (sink.last < sink.first) return undefined;
    const { batchEvents, batchBytes, batchMs, bufferBytes } = this.#operator;
    // A full buffer holds up what is upstream: it does not wait for the batch's time.
    if (sink.last - sink.first + 1 >= batchEvents || sink.bytes >= Math.min(batchBytes, bufferBytes))
      return 0;
    const due = sink.opened + batchMs;
    return this.#operator.sink.options.hourly === true ? Math.min(due, hourAfter(sink.opened)) : due;
  }

  /** The first event of another hour finds the batch of the hour before closed. */
  #closeHour(sink: SinkCounters, now: number): void {
    if (this.#operator.sink.options.hourly !== true) return;
    if (sink.batch !== undefined || sink.opened === 0 || now < hourAfter(sink.opened)) return;
    closeBatch(sink, sink.last, sink.bytes, 0);
  }
}

const HOUR = 3_600_000;

function hourAfter(time: number): number {
  return (Math.floor(time / HOUR) + 1) * HOUR;
}

/** Fixes a batch of everything up to `upTo`. @param opened when what is behind it came, 0 if nothing is. */
export function closeBatch(sink: SinkCounters, upTo: number, bytes: number, opened: number): void {
  sink.batches++;
  sink.batch = { number: sink.batches, upTo, bytes, opened: sink.opened };
  sink.opened = opened;
}

/** Buffer keys sort by number. */
export function bufferKey(number: number): string {
  return String(number).padStart(16, "0");
}
