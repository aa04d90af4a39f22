/**
 * Steps: finds what follows each source and operator: the stateless steps that are fused into it, up to the next
 * operators that live in shards.
 */
import { PlanError } from "../errors.ts";
import type { GraphNode, OperatorNode, ProcessNode } from "../graph.ts";
import type { Job } from "../job.ts";
import type { Operator } from "../operator.ts";
import type { UnconnectedPlan } from "./operator-plans.ts";
import type { LocalOperatorPlan, Outputs, SideSteps, Step, Target } from "./plan.ts";

/** A stream that forks and merges again and again is walked once for each way through it. */
const MAX_STEPS = 10_000;

export class StepFinder {
  readonly #job: Job;
  readonly #operators: ReadonlyMap<string, UnconnectedPlan>;
  readonly #locals = new Map<Operator<unknown, unknown>, LocalOperatorPlan>();
  readonly #inMemory: boolean;
  #origin: GraphNode | undefined;
  #targets = new Set<Target>();
  #steps = 0;

  /** @param operators of the whole job: those that are reached learn from whom. */
  constructor(job: Job, operators: ReadonlyMap<string, UnconnectedPlan>, inMemory: boolean) {
    this.#job = job;
    this.#operators = operators;
    this.#inMemory = inMemory;
  }

  /** @throws PlanError when what follows cannot run, or nothing follows a source. */
  outputsOf(origin: GraphNode): Outputs {
    this.#origin = origin;
    this.#targets = new Set();
    this.#steps = 0;
    const main = this.#behind(origin);
    const sides = this.#sides(origin);
    if ((origin.kind === "source" || origin.kind === "pull") && main.length === 0) {
      this.#refuse(`nothing reads the source "${origin.name}"; apply an operator to its stream`);
    }
    return { main, sides, targets: [...this.#targets] };
  }

  #behind(node: GraphNode): Step[] {
    return this.#readersOf(node).flatMap(({ reader, port }): Step[] => {
      if (++this.#steps > MAX_STEPS) {
        this.#refuse(
          `there are more than ${MAX_STEPS} ways through the steps behind "${this.#origin?.name}"; merge streams that fork from each other less often`,
        );
      }
      switch (reader.kind) {
        case "sideOutput":
          return [];
        case "union":
          this.#mustBeRead(reader);
          return this.#behind(reader);
        case "keyBy":
          this.#mustBeRead(reader);
          return [{ kind: "keyBy", name: reader.name, key: reader.key, next: this.#behind(reader) }];
        case "operator": {
          const next = this.#behind(reader);
          const sides = this.#sides(reader);
          const isRead = next.length > 0 || Object.keys(sides).length > 0;
          if (isRead && !reader.keyed) return [{ kind: "operator", operator: reader.operator, next, sides }];
          return [this.#end(this.#local(reader, isRead), 0)];
        }
        default:
          return [this.#end(this.#operators.get(reader.name) as UnconnectedPlan, port)];
      }
    });
  }

  #sides(node: GraphNode): SideSteps {
    const sides: Record<string, Step[]> = {};
    for (const { reader } of this.#readersOf(node)) {
      if (reader.kind !== "sideOutput") continue;
      const steps = this.#behind(reader);
      // What nobody reads is dropped where it is emitted.
      if (steps.length > 0) sides[reader.output] = [...(sides[reader.output] ?? []), ...steps];
    }
    return sides;
  }

  #end(target: Target, port: number): Step {
    this.#targets.add(target);
    const feeding = this.#operators.get(target.name)?.sources;
    const { name } = this.#origin as GraphNode;
    if (feeding !== undefined && !feeding.includes(name)) feeding.push(name);
    return { kind: "target", target, port };
  }

  /** An operator that nobody reads, or that keeps a map of its own: it ends its stream, and runs in memory only. */
  #local({ operator, keyed }: OperatorNode, isRead: boolean): LocalOperatorPlan {
    const { name } = operator;
    if (!this.#inMemory) {
      this.#refuse(
        keyed
          ? `"${name}" is a keyed operator with state of its own, which only JobStarter can run; extend Aggregate or ProcessFunction to keep state on Workers`
          : `nothing reads what "${name}" emits; apply an aggregate to it or add a sink, or run the job with JobStarter if the operator keeps its results itself`,
      );
    }
    if (isRead) {
      this.#refuse(
        `what "${name}" emits is read, but an operator with state of its own ends its stream; extend Aggregate or ProcessFunction`,
      );
    }
    if (this.#origin?.kind !== "source") {
      this.#refuse(
        `"${name}" keeps its results itself, so it can only follow the stateless steps of a source, not "${this.#origin?.name}"; extend Aggregate or ProcessFunction, or add a sink`,
      );
    }
    let known = this.#locals.get(operator);
    if (known === undefined) {
      known = { kind: "local", name, shards: 1, keyed, operator };
      this.#locals.set(operator, known);
    }
    return known;
  }

  #mustBeRead(node: GraphNode): void {
    if (this.#readersOf(node).length > 0) return;
    this.#refuse(`nothing follows "${node.name}"; apply an aggregate or an operator`);
  }

  /** The nodes that read a node, once for each input that it is, in the order of the graph. */
  #readersOf(node: GraphNode): { reader: GraphNode; port: number }[] {
    return this.#job.nodes.flatMap((reader) =>
      reader.inputs.flatMap((input, n) =>
        input === node ? [{ reader, port: (reader as ProcessNode).ports?.[n] ?? 0 }] : [],
      ),
    );
  }

  #refuse(reason: string): never {
    throw new PlanError(`job ${this.#job.name}: ${reason}`);
  }
}
