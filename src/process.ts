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

  /** What the operator's view shows for a key, from its state by name; by default all of it. A key of which it is undefined is not shown. */
  view?(state: Readonly<Record<string, unknown>>): unknown;

  /**
   * A timer of a key is due: the clock, or the watermark where it is in event time, has reached its time, which may have
   * passed a while ago: after an outage, say. What is emitted here has the timer's time as its event time.
   */
  onTimer(timer: Timer, collector: Collector<Out>, context: ProcessContext): Nothing {}
}

export interface ProcessOptions {
  /** How many shards hold the keys; 4 by default. Changing it for existing state is refused. */
  readonly shards?: number;
  /** Keys that one shard keeps; an event of a key beyond it goes to dead letters. 2,000,000 by default. */
  readonly maxKeys?: number;
  /** Whether it works in event time: then it may set `eventTimers`, and its sources keep a watermark for it. */
  readonly eventTime?: boolean;
  /**
   * Whether `apply` gets each key's events sorted by (time, id): each waits until the watermark has passed it. One that
   * comes after the watermark has passed its time is late: it goes to the side output `late`, and is counted.
   */
  readonly timeSorted?: boolean;
}

/** What a hook works with. It is only valid until the hook returns. */
export interface ProcessContext {
  readonly operator: string;
  readonly key: string;
  /** Processing time: when this commit began, epoch milliseconds. The same for all events of a commit. */
  readonly now: number;
  readonly state: KeyState;
  /** In processing time. */
  readonly timers: Timers;
  /** In event time: due when the watermark has reached them. @throws RangeError without the option `eventTime`. */
  readonly eventTimers: Timers;
  /**
   * Event time up to which everything has come, as far as one can tell: epoch milliseconds, 0 at the start. Events at or
   * before it are late.
   */
  readonly watermark: number;
  /** Marks the event at hand as late: it is counted as such and goes to the side output `late`. For `apply` only. */
  late(): void;
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

/** Timers of the key at hand. Setting one under a name that is taken moves it. */
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
  /** Which clock it goes by. */
  readonly domain: "processing" | "event";
}
