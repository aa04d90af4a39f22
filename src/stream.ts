/** Stream: a typed handle on an edge of the graph. What may follow is what it has methods for. */

import { PlanError } from "./errors.ts";
import type { Event } from "./event.ts";
import type { GraphNode } from "./graph.ts";
import type { AggregateOptions, Aggregator, Operator } from "./operator.ts";
import { Aggregate } from "./operator.ts";
import { AggregatorOperator } from "./operators/aggregate.ts";
import { FilterOperator } from "./operators/filter.ts";
import { FlatMapOperator } from "./operators/flat-map.ts";
import { MapOperator } from "./operators/map.ts";

/** Where streams add what follows them; a Job is one. */
export interface GraphBuilder {
  addNode<N extends GraphNode>(node: N): N;
  nameFor(input: GraphNode, kind: string): string;
}

/** Makes a function that returns a Promise a type error: nothing waits for it. */
export type Synchronous<Result> =
  Result extends PromiseLike<unknown>
    ? "return a value, not a Promise: work that waits needs a stage of its own"
    : unknown;

/** What an aggregate emits: the key and its result so far. */
export interface KeyedResult<Out> {
  readonly key: string;
  readonly value: Out;
}

export class Stream<T> {
  protected readonly graph: GraphBuilder;
  protected readonly node: GraphNode;

  constructor(graph: GraphBuilder, node: GraphNode) {
    this.graph = graph;
    this.node = node;
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

  /** Applies an operator of your own and returns the stream of what it emits. */
  applyOperator<U>(operator: Operator<T, U>): Stream<U> {
    return new Stream<U>(
      this.graph,
      this.graph.addNode({
        kind: "operator",
        name: operator.name,
        inputs: [this.node],
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

  /** Keeps `aggregator`'s accumulator per key, as the view `name`. Sugar for `applyOperator` with an `Aggregate`. */
  aggregate<Acc, Out>(
    name: string,
    aggregator: Aggregator<T, Acc, Out>,
    options?: AggregateOptions,
  ): Stream<KeyedResult<Out>> {
    return this.applyOperator(new AggregatorOperator<T, Acc, Out>(name, aggregator, options));
  }

  /** Applies a stateful operator, which is also the view of its name; or, in memory only, an operator with a map of its own. */
  applyOperator<Acc, Out>(operator: Aggregate<T, Acc, Out>): Stream<KeyedResult<Out>>;
  applyOperator<Out>(operator: Operator<T, Out>): Stream<Out>;
  applyOperator<Out>(
    operator: Aggregate<T, unknown, Out> | Operator<T, Out>,
  ): Stream<KeyedResult<Out> | Out> {
    const inputs = [this.node];
    const { name } = operator;
    return new Stream(
      this.graph,
      operator instanceof Aggregate
        ? this.graph.addNode({
            kind: "aggregate",
            name,
            inputs,
            aggregate: operator as Aggregate<unknown, unknown, unknown>,
          })
        : this.graph.addNode({
            kind: "operator",
            name,
            inputs,
            operator: operator as Operator<unknown, unknown>,
            keyed: true,
          }),
    );
  }
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
