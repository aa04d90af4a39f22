/** Stream: a typed handle on an edge of the graph. What may follow is what it has methods for. */

import { PlanError } from "./errors.ts";
import type { Event } from "./event.ts";
import type { GraphNode, WindowSpec } from "./graph.ts";
import type { AggregateOptions, Aggregator, KeyedResult, Operator, WindowResult } from "./operator.ts";
import { Aggregate } from "./operator.ts";
import { AggregatorOperator } from "./operators/aggregate.ts";
import { CountWindowFunction } from "./operators/count-window.ts";
import { EnrichFunction, TABLE_PORT } from "./operators/enrich.ts";
import { EnrichAsOfFunction } from "./operators/enrich-as-of.ts";
import { FilterOperator } from "./operators/filter.ts";
import { FlatMapOperator } from "./operators/flat-map.ts";
import type { Interval } from "./operators/interval-join.ts";
import { IntervalJoinFunction } from "./operators/interval-join.ts";
import { MapOperator } from "./operators/map.ts";
import { PeekOperator } from "./operators/peek.ts";
import type { Branches } from "./operators/split.ts";
import { SplitOperator } from "./operators/split.ts";
import { TimeSorted } from "./operators/time-sorted.ts";
import type { JoinKind, PairFunction } from "./operators/window-join.ts";
import { RIGHT_PORT, WindowJoinFunction } from "./operators/window-join.ts";
import type { ProcessOptions } from "./process.ts";
import { ProcessFunction } from "./process.ts";
import type { Sink } from "./sink.ts";
import { Stage } from "./stage.ts";
import { CountWindows } from "./windows/count.ts";
import type { WindowOptions } from "./windows/trigger.ts";
import { LATE, rulesOf } from "./windows/trigger.ts";
import type { Window, WindowAssigner } from "./windows/window.ts";

/** Where streams add what follows them; a Job is one. */
export interface GraphBuilder {
  addNode<N extends GraphNode>(node: N): N;
  nameFor(input: GraphNode, kind: string): string;
}

/** A node of a graph, and the graph. */
export interface StreamOrigin {
  readonly graph: GraphBuilder;
  readonly node: GraphNode;
}

/** Makes a function that returns a Promise a type error: nothing waits for it. */
export type Synchronous<Result> =
  Result extends PromiseLike<unknown>
    ? "return a value, not a Promise: work that waits needs a stage of its own"
    : unknown;

/** The streams of a split: one per branch, and `rest` for what no branch took. */
export type SplitStreams<T, Names extends string> = Readonly<Record<Names | "rest", Stream<T>>>;

export class Stream<T> {
  private readonly graph: GraphBuilder;
  private readonly node: GraphNode;

  constructor(graph: GraphBuilder, node: GraphNode) {
    this.graph = graph;
    this.node = node;
  }

  /** What the stream comes out of: for tools that look at jobs. */
  get origin(): StreamOrigin {
    return { graph: this.graph, node: this.node };
  }

  /** Replaces each event's data by what `fn` makes of it. */
  map<U>(fn: ((data: T, event: Event<T>) => U) & Synchronous<U>, name?: string): Stream<U> {
    mustBeSynchronous("map", fn);
    return this.applyOperator(new MapOperator<T, U>(name ?? this.#nameFor("map"), fn));
  }

  /** Keeps the events that `predicate` holds for; a type guard narrows the stream. */
  filter<U extends T>(predicate: (data: T, event: Event<T>) => data is U, name?: string): Stream<U>;
  filter(predicate: (data: T, event: Event<T>) => boolean, name?: string): Stream<T>;
  filter(predicate: (data: T, event: Event<T>) => boolean, name?: string): Stream<T> {
    mustBeSynchronous("filter", predicate);
    return this.applyOperator(new FilterOperator<T>(name ?? this.#nameFor("filter"), predicate));
  }

  /** Replaces each event by none, one or several. */
  flatMap<U>(fn: (data: T, event: Event<T>) => Iterable<U>, name?: string): Stream<U> {
    mustBeSynchronous("flatMap", fn);
    return this.applyOperator(new FlatMapOperator<T, U>(name ?? this.#nameFor("flat-map"), fn));
  }

  /** Looks at each event and passes it on unchanged. May run more than once for an event. */
  peek(fn: (data: T, event: Event<T>) => void, name?: string): Stream<T> {
    mustBeSynchronous("peek", fn);
    return this.applyOperator(new PeekOperator<T>(name ?? this.#nameFor("peek"), fn));
  }

  /** Sends each event to the first branch whose predicate holds for it, or to `rest`. */
  split<Names extends string>(
    branches: Readonly<Record<Names, (data: T, event: Event<T>) => boolean>>,
    name?: string,
  ): SplitStreams<T, Names> {
    const names = Object.keys(branches) as Names[];
    for (const branch of names) {
      if (branch === "rest") throw new PlanError('split: "rest" is what no branch takes; name it otherwise');
      mustBeSynchronous(`split ${branch}`, branches[branch]);
    }
    const rest = this.applyOperator(
      new SplitOperator<T>(name ?? this.#nameFor("split"), branches as Branches<T>),
    );
    const outputs = names.map((branch) => [branch, rest.sideOutput<T>(branch)] as const);
    return Object.fromEntries([...outputs, ["rest", rest]]) as SplitStreams<T, Names>;
  }

  /** What the operator that this stream comes from emits to its side output `output`. */
  sideOutput<U>(output: string): Stream<U> {
    const { node } = this;
    const windowed = node.kind === "aggregate" && node.window !== undefined;
    if (!windowed && !["operator", "process", "stage"].includes(node.kind)) {
      throw new PlanError(`sideOutput: "${node.name}" is no operator that could have one`);
    }
    return new Stream<U>(
      this.graph,
      this.graph.addNode({
        kind: "sideOutput",
        name: this.#nameFor(`output.${output}`),
        inputs: [this.node],
        output,
      }),
    );
  }

  /** The events of this stream and of the others, in no particular order. All must belong to one job. */
  union<Us extends readonly unknown[]>(
    ...others: { readonly [N in keyof Us]: Stream<Us[N]> }
  ): Stream<T | Us[number]> {
    for (const other of others) {
      if (other.graph !== this.graph) throw new PlanError("union: the streams belong to different jobs");
    }
    const inputs = [this.node, ...others.map((other) => other.node)];
    return new Stream<T | Us[number]>(
      this.graph,
      this.graph.addNode({ kind: "union", name: this.#nameFor("union"), inputs }),
    );
  }

  /** Ends the stream in a sink. */
  addSink(sink: Sink<T>): void {
    this.graph.addNode(sinkNode(sink, this.node, false));
  }

  /** Gives each event a key; stateful operators keep one state per key. */
  keyBy(key: (data: T) => string): KeyedStream<T> {
    mustBeSynchronous("keyBy", key);
    return new KeyedStream<T>(
      this.graph,
      this.graph.addNode({
        kind: "keyBy",
        name: this.#nameFor("key-by"),
        inputs: [this.node],
        key: key as (data: unknown) => string,
      }),
    );
  }

  /** Applies an operator of your own, or a stage that may wait, and returns the stream of what it emits. */
  applyOperator<U>(operator: Operator<T, U> | Stage<T, U>): Stream<U> {
    const { name } = operator;
    const inputs = [this.node];
    return new Stream<U>(
      this.graph,
      operator instanceof Stage
        ? this.graph.addNode({ kind: "stage", name, inputs, stage: operator as Stage<unknown, unknown> })
        : this.graph.addNode({
            kind: "operator",
            name,
            inputs,
            operator: operator as Operator<unknown, unknown>,
            keyed: false,
          }),
    );
  }

  #nameFor(kind: string): string {
    return this.graph.nameFor(this.node, kind);
  }
}

/** A stream whose events have a key: the only kind that a stateful operator may follow. */
export class KeyedStream<T> {
  private readonly graph: GraphBuilder;
  private readonly node: GraphNode;

  constructor(graph: GraphBuilder, node: GraphNode) {
    this.graph = graph;
    this.node = node;
  }

  /** What the stream comes out of: for tools that look at jobs. */
  get origin(): StreamOrigin {
    return { graph: this.graph, node: this.node };
  }

  /** Keeps `aggregator`'s accumulator per key, as the view `name`. Sugar for `applyOperator` with an `Aggregate`. */
  aggregate<Acc, Out>(
    name: string,
    aggregator: Aggregator<T, Acc, Out>,
    options?: AggregateOptions,
  ): Stream<KeyedResult<Out>> {
    return this.applyOperator(new AggregatorOperator<T, Acc, Out>(name, aggregator, options));
  }

  /**
   * Joins each event with the latest value that `table` has for its key, or `undefined`. The table is the state of the
   * operator `name`.
   */
  enrich<U, V>(
    name: string,
    table: KeyedStream<U>,
    fn: ((data: T, table: U | undefined, event: Event<T>) => V) & Synchronous<V>,
    options?: ProcessOptions,
  ): Stream<V> {
    mustBeSynchronous("enrich", fn);
    if (table.graph !== this.graph) throw new PlanError(`enrich ${name}: the table belongs to another job`);
    return new Stream<V>(
      this.graph,
      this.graph.addNode({
        kind: "process",
        name,
        inputs: [this.node, table.node],
        ports: [0, TABLE_PORT],
        process: new EnrichFunction<T, U, V>(name, fn, options) as ProcessFunction<unknown, unknown>,
      }),
    );
  }

  /**
   * Cuts the stream into windows; an aggregate must follow.
   *
   * ```ts
   * clicks.keyBy((click) => click.url).window(tumbling("1 minute")).aggregate("views-per-minute", count());
   * ```
   *
   * @throws PlanError when an option makes no sense.
   */
  window(assigner: WindowAssigner<T>, options?: WindowOptions): WindowedStream<T>;
  window(windows: CountWindows): CountWindowedStream<T>;
  window(
    windows: WindowAssigner<T> | CountWindows,
    options: WindowOptions = {},
  ): WindowedStream<T> | CountWindowedStream<T> {
    if (windows instanceof CountWindows) return new CountWindowedStream<T>(this, windows);
    return new WindowedStream<T>(this.graph, this.node, windows as WindowAssigner, options);
  }

  /**
   * Pairs events of both streams whose times are near each other: `right.time − left.time` in `[lower, upper]`.
   *
   * @throws PlanError when the interval is none.
   */
  intervalJoin<U, V>(
    name: string,
    right: KeyedStream<U>,
    interval: Interval,
    fn: ((left: T, right: U) => V) & Synchronous<V>,
    options?: ProcessOptions,
  ): JoinedStream<T | U, V> {
    mustBeSynchronous("intervalJoin", fn);
    return joined(this, right, new IntervalJoinFunction<T, U, V>(name, interval, fn, options));
  }

  /** Joins each event with the value that `table` had for its key at the event's own time, or `undefined`. */
  enrichAsOf<U, V>(
    name: string,
    table: KeyedStream<U>,
    fn: ((data: T, table: U | undefined, event: Event<T>) => V) & Synchronous<V>,
    options?: ProcessOptions,
  ): JoinedStream<T | U, V> {
    mustBeSynchronous("enrichAsOf", fn);
    return joined(this, table, new EnrichAsOfFunction<T, U, V>(name, fn, options));
  }

  /** Ends the stream in a sink; events of one key go to one of its shards. */
  addSink(sink: Sink<T>): void {
    this.graph.addNode(sinkNode(sink, this.node, true));
  }

  /** Applies a stateful operator, which is also the view of its name; or, in memory only, an operator with a map of its own. */
  applyOperator<Acc, Out>(operator: Aggregate<T, Acc, Out>): Stream<KeyedResult<Out>>;
  applyOperator<Out>(operator: ProcessFunction<T, Out>): Stream<Out>;
  applyOperator<Out>(operator: Operator<T, Out>): Stream<Out>;
  applyOperator<Out>(
    operator: Aggregate<T, unknown, Out> | ProcessFunction<T, Out> | Operator<T, Out>,
  ): Stream<KeyedResult<Out> | Out> {
    return new Stream(this.graph, this.graph.addNode(this.#nodeOf(operator)));
  }

  #nodeOf(operator: object & { readonly name: string }): GraphNode {
    const { name } = operator;
    const inputs = [this.node];
    if (operator instanceof Aggregate) {
      return { kind: "aggregate", name, inputs, aggregate: operator };
    }
    if (operator instanceof ProcessFunction) {
      const process = operator.options.timeSorted === true ? sorted(operator) : operator;
      return { kind: "process", name, inputs, ports: [0], process };
    }
    return { kind: "operator", name, inputs, operator: operator as Operator<unknown, unknown>, keyed: true };
  }
}

/** The results of windows, and the events that came too late for them. */
export class WindowResults<T, Out> extends Stream<WindowResult<Out>> {
  /** Events that came after the allowed lateness of all their windows. They are counted whether somebody reads this or not. */
  get late(): Stream<T> {
    return this.sideOutput<T>(LATE);
  }
}

export class WindowedStream<T> {
  private readonly graph: GraphBuilder;
  private readonly node: GraphNode;
  private readonly window: WindowSpec;

  /** @throws PlanError when an option makes no sense. */
  constructor(graph: GraphBuilder, node: GraphNode, assigner: WindowAssigner, options: WindowOptions) {
    this.graph = graph;
    this.node = node;
    this.window = { assigner, rules: rulesOf(assigner, options) };
  }

  /** Keeps `aggregator`'s accumulator per key and window, as the view `name`, and emits it when a window fires. */
  aggregate<Acc, Out>(
    name: string,
    aggregator: Aggregator<T, Acc, Out>,
    options?: AggregateOptions,
  ): WindowResults<T, Out> {
    return this.applyOperator(new AggregatorOperator<T, Acc, Out>(name, aggregator, options));
  }

  /** Applies an aggregate of your own to each key and window. */
  applyOperator<Acc, Out>(operator: Aggregate<T, Acc, Out>): WindowResults<T, Out> {
    if (!(operator instanceof Aggregate))
      throw new PlanError("behind a window comes an Aggregate; for a ProcessFunction leave the window out");
    const node = this.graph.addNode({
      kind: "aggregate",
      name: operator.name,
      inputs: [this.node],
      aggregate: operator as Aggregate<unknown, unknown, unknown>,
      window: this.window,
    });
    return new WindowResults<T, Out>(this.graph, node);
  }

  /**
   * Pairs what both streams have of a key in a window, when it ends.
   *
   * @throws PlanError when the windows, or their options, are none that a join can have.
   */
  join<U, V>(
    name: string,
    right: KeyedStream<U>,
    fn: ((left: T, right: U, window: Window) => V) & Synchronous<V>,
    options?: ProcessOptions,
  ): JoinedStream<T | U, V> {
    return this.#join<U, V>("inner", name, right, fn as PairFunction<T, U, V>, options);
  }

  /** As `join`; what has nobody on the right is paired with `undefined`. @throws PlanError as `join` does. */
  leftJoin<U, V>(
    name: string,
    right: KeyedStream<U>,
    fn: ((left: T, right: U | undefined, window: Window) => V) & Synchronous<V>,
    options?: ProcessOptions,
  ): JoinedStream<T | U, V> {
    return this.#join<U, V>("left", name, right, fn as PairFunction<T, U, V>, options);
  }

  /** As `join`; what has nobody on the other side is paired with `undefined`. @throws PlanError as `join` does. */
  fullJoin<U, V>(
    name: string,
    right: KeyedStream<U>,
    fn: ((left: T | undefined, right: U | undefined, window: Window) => V) & Synchronous<V>,
    options?: ProcessOptions,
  ): JoinedStream<T | U, V> {
    return this.#join<U, V>("full", name, right, fn as PairFunction<T, U, V>, options);
  }

  #join<U, V>(
    kind: JoinKind,
    name: string,
    right: KeyedStream<U>,
    fn: PairFunction<T, U, V>,
    options?: ProcessOptions,
  ): JoinedStream<T | U, V> {
    mustBeSynchronous(`${kind} join`, fn);
    const join = new WindowJoinFunction<T, U, V>(name, kind, this.window, fn, options);
    return joined(new KeyedStream<T>(this.graph, this.node), right, join);
  }
}

/** What a join emits, and the events that came too late for it. */
export class JoinedStream<T, V> extends Stream<V> {
  /** Events that came after the watermark had passed them. They are counted whether somebody reads this or not. */
  get late(): Stream<T> {
    return this.sideOutput<T>(LATE);
  }
}

/** A keyed stream cut into windows of so many events. An aggregate must follow. */
export class CountWindowedStream<T> {
  private readonly stream: KeyedStream<T>;
  private readonly windows: CountWindows;

  constructor(stream: KeyedStream<T>, windows: CountWindows) {
    this.stream = stream;
    this.windows = windows;
  }

  /** Emits `aggregator`'s result over the last events of a key; the view `name` has the latest one. */
  aggregate<Acc, Out>(
    name: string,
    aggregator: Aggregator<T, Acc, Out>,
    options?: AggregateOptions,
  ): Stream<WindowResult<Out>> {
    return this.applyOperator(new AggregatorOperator<T, Acc, Out>(name, aggregator, options));
  }

  /** Applies an aggregate of your own to the last events of a key. */
  applyOperator<Acc, Out>(operator: Aggregate<T, Acc, Out>): Stream<WindowResult<Out>> {
    return this.stream.applyOperator(new CountWindowFunction<T, Acc, Out>(this.windows, operator));
  }
}

/** One wrapping for each function: applied to a second stream it is the same operator. */
const wrapped = new WeakMap<object, TimeSorted<unknown, unknown>>();

function sorted(operator: ProcessFunction<unknown, unknown>): TimeSorted<unknown, unknown> {
  const known = wrapped.get(operator) ?? new TimeSorted(operator);
  wrapped.set(operator, known);
  return known;
}

/** @throws PlanError when the streams belong to different jobs. */
function joined<T, U, V>(
  left: KeyedStream<T>,
  right: KeyedStream<U>,
  process: ProcessFunction<T | U, V>,
): JoinedStream<T | U, V> {
  const { graph, node } = left.origin;
  if (right.origin.graph !== graph)
    throw new PlanError(`join ${process.name}: the streams belong to different jobs`);
  if (process.options.timeSorted === true)
    throw new PlanError(
      `join ${process.name}: leave timeSorted out; joins put events in order where it matters`,
    );
  return new JoinedStream<T | U, V>(
    graph,
    graph.addNode({
      kind: "process",
      name: process.name,
      inputs: [node, right.origin.node],
      ports: [0, RIGHT_PORT],
      process: process as ProcessFunction<unknown, unknown>,
    }),
  );
}

function sinkNode<T>(sink: Sink<T>, input: GraphNode, keyed: boolean): GraphNode {
  return { kind: "sink", name: sink.name, inputs: [input], sink: sink as Sink<unknown>, keyed };
}

/** The types say it too; JavaScript callers and casts get past types. */
function mustBeSynchronous(method: string, fn: unknown): void {
  if (typeof fn !== "function") throw new PlanError(`${method}: takes a function, got ${typeof fn}`);
  if (/^Async/.test(fn.constructor.name)) {
    throw new PlanError(
      `${method}: the function is async, but nothing waits for it; return a value, not a Promise`,
    );
  }
}
