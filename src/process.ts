/** ProcessFunction: a stateful operator that sees each event, with state and timers per key. */
import type { Collector, Nothing } from "./collector.ts";
import type { Event } from "./event.ts";

/**
 * Sees every event of a key, one after the other, and keeps what it likes: values, lists and maps, each with a name and
 * a time to live if wanted; and sets timers, which call it back when nothing comes any more.
 *
 * ```ts
 * class Inactive extends ProcessFunction<Click, string> {
 *   apply(event: Event<Click>, collector: Collector<string>, context: ProcessContext) {
 *     context.state.value<number>("clicks").set((context.state.value<number>("clicks").get() ?? 0) + 1);
 *     context.timers.set("inactive", context.now + 60_000);
 *   }
 *   onTimer(timer: Timer, collector: Collector<string>, context: ProcessContext) {
 *     collector.emit(`${timer.key} was inactive for a minute`);
 *   }
 * }
 * ```
 *
 * Guarantees: what a hook changes, emits and sets for one event is committed together, exactly once, or, when the hook
 * throws, not at all: then the event goes to dead letters and the next one finds the state as it was. Hooks are
 * synchronous; within one request or one upstream commit the events of a key keep their order, across them they do not.
 */
export abstract class ProcessFunction<In, Out = never> {
  /** Type only, as in Operator. */
  declare protected readonly takes?: (data: In) => void;

  readonly name: string;
  readonly options: ProcessOptions;

  constructor(name: string, options: ProcessOptions = {}) {
    this.name = name;
    this.options = options;
  }

  /** Change it when the format of the state changes: state of another format is refused, not misread. */
  get signature(): string {
    return `${this.constructor.name}@1`;
  }

  abstract apply(event: Event<In>, collector: Collector<Out>, context: ProcessContext): Nothing;

  /** A timer of a key is due. Its time may have passed a while ago: after an outage, say. */
  onTimer(timer: Timer, collector: Collector<Out>, context: ProcessContext): Nothing {}
}

export interface ProcessOptions {
  /** How many shards hold the keys; 4 by default. Changing it for existing state is refused. */
  readonly shards?: number;
  /** Keys that one shard keeps; an event of a key beyond it goes to dead letters. 2,000,000 by default. */
  readonly maxKeys?: number;
}

/** What a hook works with. It is only valid until the hook returns. */
export interface ProcessContext {
  readonly operator: string;
  readonly key: string;
  /** Processing time: when this commit began, epoch milliseconds. The same for all events of a commit. */
  readonly now: number;
  readonly state: KeyState;
  readonly timers: Timers;
}

/** The state of one key. Values are JSON; what `get` gives must not be changed in place, but set anew. */
export interface KeyState {
  value<T>(name: string, options?: StateOptions): ValueState<T>;
  list<T>(name: string, options?: StateOptions): ListState<T>;
  map<T>(name: string, options?: StateOptions): MapState<T>;
}

export interface StateOptions {
  /** How long it is kept after it was last written: milliseconds, or words like "1 hour". For ever by default. */
  readonly ttl?: number | string;
}

export interface ValueState<T> {
  get(): T | undefined;
  set(value: T): void;
  clear(): void;
}

export interface ListState<T> {
  get(): readonly T[];
  add(value: T): void;
  set(values: readonly T[]): void;
  clear(): void;
}

export interface MapState<T> {
  get(key: string): T | undefined;
  has(key: string): boolean;
  set(key: string, value: T): void;
  delete(key: string): void;
  entries(): [key: string, value: T][];
  clear(): void;
}

/** Timers of the key at hand, in processing time. Setting one under a name that is taken moves it. */
export interface Timers {
  /** @param at epoch milliseconds; one in the past is due at once. @throws RangeError when it is no such time. */
  set(name: string, at: number): void;
  delete(name: string): void;
  /** When the timer of this name is due; undefined when there is none. */
  get(name: string): number | undefined;
}

export interface Timer {
  readonly name: string;
  readonly key: string;
  /** When it was due, epoch milliseconds. */
  readonly time: number;
}
