/** Collectors: where sources and operators put what they produce. */
import type { EventAttributes } from "./event.ts";

/**
 * What a hook may return: nothing. A plain `void` would let an `async` method pass, whose work would run after
 * its event was already committed; this makes it a type error.
 */
export type Nothing = void | undefined;

export interface EmitOptions {
  /** Event time, epoch milliseconds; by default that of the event, or the timer, at hand. */
  readonly time?: number;
}

/** Takes what an operator emits. Each value becomes an event that keeps the time of the event being applied, if nothing else is said. */
export interface Collector<T> {
  /** @throws RangeError when the time is none. */
  emit(data: T, options?: EmitOptions): void;
  /** Emits to a side output, which `stream.sideOutput(name)` reads; what nobody reads is dropped. */
  emitTo(output: string, data: unknown): void;
}

/** Takes what a source reads. Throws InvalidEventError when `time` cannot be read or lies too far in the future. */
export interface SourceCollector<T> {
  emit(data: T, attributes?: EventAttributes): void;
  /**
   * For a source with `watermarks: "explicit"`: whoever sent this record says that all events with this time or an
   * earlier one have been accepted, or are in this request. Epoch milliseconds, or ISO 8601 with an offset.
   */
  watermark(time: number | string): void;
}
