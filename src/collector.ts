/** Collectors: where sources and operators put what they produce. */
import type { EventAttributes } from "./event.ts";

/**
 * What a hook may return: nothing. A plain `void` would let an `async` method pass, whose work would run after
 * its event was already committed; this makes it a type error.
 */
export type Nothing = void | undefined;

/** Takes what an operator emits. Each value becomes an event that keeps the time of the event being applied. */
export interface Collector<T> {
  emit(data: T): void;
  /** Emits to a side output, which `stream.sideOutput(name)` reads; what nobody reads is dropped. */
  emitTo(output: string, data: unknown): void;
}

/** Takes what a source reads. Throws InvalidEventError when `time` cannot be read or lies too far in the future. */
export interface SourceCollector<T> {
  emit(data: T, attributes?: EventAttributes): void;
}
