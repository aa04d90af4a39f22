/** Job: the graph of sources, streams and operators, under a name. */
import { PlanError } from "./errors.ts";
import type { GraphDescription, GraphNode } from "./graph.ts";
import { describeGraph, kindOf } from "./graph.ts";
import type { Source } from "./source.ts";
import { PullSource } from "./source.ts";
import { Stream } from "./stream.ts";

export interface JobOptions {
  /**
   * What happens to an event that an operator throws on. `dead-letter`, the default: it goes to dead letters, once, with
   * the error and the operator's name, and its neighbours proceed. `fail`: it is refused (in front of the queue, to
   * its sender; behind it, by not acknowledging its message, which is tried again and ends in the dead-letter queue).
   */
  readonly onError?: FailurePolicy;
}

export type FailurePolicy = "dead-letter" | "fail";

/**
 * A job. Three lines make a complete one:
 *
 * ```ts
 * const job = new Job("clickstream");
 * const clicks = job.addSource(new ClickReader("clicks"));
 * clicks.keyBy((click) => click.url).applyOperator(new PageViewCounter("page-views"));
 * ```
 */
export class Job {
  readonly #nodes: GraphNode[] = [];

  readonly name: string;
  readonly onError: FailurePolicy;

  constructor(name: string, options: JobOptions = {}) {
    this.name = name;
    this.onError = options.onError ?? "dead-letter";
    checkName("job", name);
  }

  /**
   * Adds a source and returns the stream of its events.
   *
   * @throws PlanError when the name is taken in this job or is not a name.
   */
  addSource<T, Offset = unknown>(source: Source<T> | PullSource<T, Offset>): Stream<T> {
    const { name } = source;
    checkName("source", name);
    const inputs: GraphNode[] = [];
    return new Stream<T>(
      this,
      source instanceof PullSource
        ? this.addNode({ kind: "pull", name, inputs, source: source as PullSource<unknown> })
        : this.addNode({ kind: "source", name, inputs, source }),
    );
  }

  /** The nodes in the order in which they were added; inputs come before their readers. */
  get nodes(): readonly GraphNode[] {
    return this.#nodes;
  }

  describe(): GraphDescription {
    return describeGraph(this.name, this.#nodes);
  }

  /**
   * Adds a node; streams call this. The same operator applied to a second stream gets a second input.
   *
   * @throws PlanError when another node has the name.
   */
  addNode<N extends GraphNode>(node: N): N {
    const same = this.#nodes.find((known) => known.name === node.name);
    if (same !== undefined) {
      if (sameOperator(same, node)) {
        if (node.inputs.some((input) => dependsOn(input, same))) {
          throw new PlanError(
            `job ${this.name}: "${node.name}" would read what it emits itself; to apply it twice, make a second one with another name`,
          );
        }
        same.inputs.push(...node.inputs);
        if (same.kind === "process" && node.kind === "process") same.ports.push(...node.ports);
        return same as N;
      }
      throw new PlanError(
        `job ${this.name}: the name "${node.name}" is used twice (${kindOf(same)} and ${kindOf(node)}); names are stable ids, choose another`,
      );
    }
    this.#nodes.push(node);
    return node;
  }

  /** A name for an operator that was given none: `clicks.filter`, `clicks.filter-2`, … */
  nameFor(input: GraphNode, kind: string): string {
    const base = `${input.name}.${kind}`;
    for (let i = 1; ; i++) {
      const name = i === 1 ? base : `${base}-${i}`;
      if (!this.#nodes.some((node) => node.name === name)) return name;
    }
  }
}

function dependsOn(node: GraphNode, other: GraphNode): boolean {
  return node === other || node.inputs.some((input) => dependsOn(input, other));
}

function sameOperator(known: GraphNode, added: GraphNode): boolean {
  if (known.kind === "aggregate" && added.kind === "aggregate")
    return known.aggregate === added.aggregate && known.window === added.window;
  if (known.kind === "operator" && added.kind === "operator") {
    return known.operator === added.operator && known.keyed === added.keyed;
  }
  if (known.kind === "process" && added.kind === "process") return known.process === added.process;
  if (known.kind === "stage" && added.kind === "stage") return known.stage === added.stage;
  if (known.kind === "sink" && added.kind === "sink")
    return known.sink === added.sink && known.keyed === added.keyed;
  return false;
}

/**
 * Names become URLs, queues and objects.
 *
 * @throws PlanError unless lower-case letters, digits and dashes, starting with a letter, 48 at most.
 */
export function checkName(what: string, name: string): void {
  if (!/^[a-z][a-z0-9-]{0,47}$/.test(name)) {
    throw new PlanError(
      `${what} name ${JSON.stringify(name)}: use lower-case letters, digits and dashes, starting with a letter, at most 48`,
    );
  }
}
