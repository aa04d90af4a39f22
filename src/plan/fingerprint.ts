/** Fingerprint: a short text that changes whenever the jobs could route an event differently. */
import type { GraphNode } from "../graph.ts";
import { fingerprintOf } from "../hash.ts";
import type { Job } from "../job.ts";
import type { Aggregate } from "../operator.ts";
import { AggregatorOperator } from "../operators/aggregate.ts";
import { CountWindowFunction } from "../operators/count-window.ts";
import { TimeSorted } from "../operators/time-sorted.ts";
import type { ProcessFunction } from "../process.ts";

/** Names, edges, shard counts, formats of state and the text of every function: all that decides where an event goes. */
export function fingerprint(generation: number, jobs: readonly Job[]): string {
  const nodes = jobs.map((job) => [
    job.name,
    job.nodes.map((node) => [
      node.kind,
      node.name,
      node.inputs.map((input) => input.name),
      behaviourOf(node),
    ]),
  ]);
  return fingerprintOf(JSON.stringify([generation, nodes]));
}

/**
 * Changes when the code of a node does; undefined for a node that has none. Bundling rewrites code, so what two
 * bundlers made of the same text differs. What a function closes over is not seen.
 */
export function codeOf(node: GraphNode): string | undefined {
  const texts = textsOf(node);
  return texts.length === 0 ? undefined : fingerprintOf(JSON.stringify(texts));
}

function behaviourOf(node: GraphNode): unknown {
  const texts = textsOf(node);
  switch (node.kind) {
    case "aggregate":
      return [
        ...texts,
        node.aggregate.signature,
        node.aggregate.options.shards,
        ...(node.window === undefined ? [] : [node.window.assigner.signature]),
      ];
    case "process":
      return [...texts, node.process.signature, node.process.options.shards, node.ports];
    case "stage":
      return [...texts, node.stage.options.shards];
    case "sink":
      return [node.keyed, node.sink.options.shards];
    case "sideOutput":
      return node.output;
    default:
      return texts;
  }
}

/** The text of a node's functions: its hooks, and those that it was given (the function of a `map`, the branches of a `split`). */
function textsOf(node: GraphNode): string[] {
  const given = givenTo(node);
  return [...hooksOf(node).map(String), ...(given === undefined ? [] : functionsIn(given))];
}

function givenTo(node: GraphNode): object | undefined {
  switch (node.kind) {
    case "operator":
      return node.operator;
    case "process":
      return node.process;
    case "stage":
      return node.stage;
    default:
      return undefined;
  }
}

/** Functions among an object's own properties, and among those of plain objects there: `name: text`. */
function functionsIn(owner: object, deeper = true): string[] {
  return Object.entries(owner).flatMap(([name, value]) => {
    if (typeof value === "function") return [`${name}: ${value}`];
    return deeper && typeof value === "object" && value !== null ? functionsIn(value, false) : [];
  });
}

type Hook = (...args: never[]) => unknown;

/** Those of the functions inside as well: what is wrapped around them is ours. */
function processHooks(process: ProcessFunction<unknown, unknown>): Hook[] {
  const own = [process.apply, process.onTimer];
  if (process instanceof TimeSorted) return [...own, ...processHooks(process.inner)];
  if (process instanceof CountWindowFunction) return [...own, ...aggregateHooks(process.aggregate)];
  return own;
}

function aggregateHooks(aggregate: Aggregate<unknown, unknown, unknown>): Hook[] {
  const { create, add, merge, result } =
    aggregate instanceof AggregatorOperator ? aggregate.aggregator : aggregate;
  return [create, add, merge, result];
}

/** The functions of a node that run while events flow. */
export function hooksOf(node: GraphNode): Hook[] {
  switch (node.kind) {
    case "source":
    case "pull":
      return [node.source.getEvents];
    case "keyBy":
      return [node.key];
    case "operator":
      return [node.operator.apply];
    case "aggregate":
      return [
        ...aggregateHooks(node.aggregate),
        ...(node.window === undefined ? [] : [node.window.assigner.assign]),
      ];
    case "process":
      return processHooks(node.process);
    case "stage":
      return [node.stage.apply];
    case "sink":
      return [node.sink.write];
    case "union":
    case "sideOutput":
      return [];
  }
}
