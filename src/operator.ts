/** Operator: transforms, filters or aggregates the events of a stream. */
import type { Collector, Nothing } from "./collector.ts";
import type { Event } from "./event.ts";
import type { Window } from "./windows/window.ts";

/** What an operator may ask about where it runs. */
export interface OperatorContext {
  /** The operator's own name. */
  readonly operator: string;
  /** The key of the event, behind a `keyBy`. */
  readonly key?: string;
}

/**
 * The article's operator: sees each event and emits what it likes.
 *
 * On an unkeyed stream it is stateless: on Workers it runs in whatever isolate a request meets, so its fields are not
 * state. State belongs into an `Aggregate`. (In memory, under `JobStarter`, there is one instance, and an operator that
 * keeps its own map works as it does in the article.)
 */
export abstract class Operator<In, Out = never> {
  /** Type only: makes an operator that takes less than its stream holds a type error, since methods alone are bivariant. */
  declare protected readonly takes?: (data: In) => void;

  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  abstract apply(event: Event<In>, collector: Collector<Out>, context: OperatorContext): Nothing;
}

/**
 * How events are folded into an accumulator, and accumulators into each other.
 *
 * Obligations: `merge` is associative and commutative, `create()` is its identity, and
 * `add(acc, e)` equals `merge(acc, add(create(), e))`. Then events may be combined in any grouping, before they reach
 * the state, without changing the result. Accumulators are JSON values, and one that starts as a number stays a number; hooks may change and return their first
 * argument, never their second.
 */
export interface Aggregator<In, Acc, Out> {
  /** Names the format of the accumulator, like `count@1`. State written under another signature is refused. */
  readonly signature: string;
  /** True when the result of a key is a number that never decreases: then `top` is answered from a small index. */
  readonly growing?: boolean;
  create(): Acc;
  /** A property and not a method, so that an aggregator which takes less than its stream holds is a type error. */
  readonly add: (accumulator: Acc, event: Event<In>) => Acc;
  merge(left: Acc, right: Acc): Acc;
  result(accumulator: Acc): Out;
}

/**
 * A stateful operator: one accumulator per key, kept exactly once in the shards and readable as the view of the same
 * name. The article's way of writing one:
 *
 * ```ts
 * class PageViewCounter extends Aggregate<Click, number, number> {
 *   create() { return 0; }
 *   add(count: number) { return count + 1; }
 *   merge(left: number, right: number) { return left + right; }
 *   result(count: number) { return count; }
 * }
 * ```
 */
export abstract class Aggregate<In, Acc, Out = Acc> implements Aggregator<In, Acc, Out> {
  /** Type only, as in Operator. */
  declare protected readonly takes?: (data: In) => void;

  readonly name: string;
  readonly options: AggregateOptions;

  constructor(name: string, options: AggregateOptions = {}) {
    this.name = name;
    this.options = options;
  }

  /** Change it when the accumulator's format changes: state of another format is refused, not misread. */
  get signature(): string {
    return `${this.constructor.name}@1`;
  }

  get growing(): boolean {
    return false;
  }

  abstract create(): Acc;
  abstract add(accumulator: Acc, event: Event<In>): Acc;
  abstract merge(left: Acc, right: Acc): Acc;
  abstract result(accumulator: Acc): Out;
}

/** What an aggregate emits whenever a commit has changed a key: the change of its view. */
export interface KeyedResult<Out> {
  readonly key: string;
  readonly value: Out;
  /**
   * The value before; absent for a key that is new. Several events of one commit make one change, so what is downstream
   * should add up differences or keep the latest value, not count changes.
   */
  readonly previous?: Out;
}

/** What a windowed aggregate emits when a window fires: one for each of its keys. Its event time is the window's last millisecond. */
export interface WindowResult<Out> {
  readonly key: string;
  readonly window: Window;
  readonly value: Out;
  /** The value that this key and window had when they fired last, with accumulating panes; absent for the first. */
  readonly previous?: Out;
  readonly pane: Pane;
}

/** Which of a window's results one is. */
export interface Pane {
  /** 0, 1, 2, … for a key and window. */
  readonly index: number;
  /** Before the watermark had passed the window's end, when it did, or for events that came after that. */
  readonly timing: "early" | "on-time" | "late";
}

export interface AggregateOptions {
  /** How many shards hold the keys; 4 by default. Changing it for existing state is refused. */
  readonly shards?: number;
  /**
   * Keys that one shard keeps; keys beyond it are counted together as overflow. 2,000,000 by default. With windows: keys
   * in windows, each counted by itself; an event of one beyond it goes to dead letters. 20,000,000 by default.
   */
  readonly maxKeys?: number;
}
