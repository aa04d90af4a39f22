/** Bindings: what sinks need of the Worker that they run in, and needs that contradict each other. */
import { PlanError } from "../errors.ts";
import type { SinkBinding } from "../sink.ts";
import type { Plan } from "./plan.ts";
import { queuesOf } from "./plan.ts";
import { described } from "./queues.ts";

/** A binding with the sinks that it is for, by its name. */
export interface PlannedBinding extends SinkBinding {
  readonly sinks: readonly string[];
}

/**
 * What the sinks of a plan need, each once, sorted by binding.
 *
 * @throws PlanError when two needs contradict each other, or a sink would write into a queue of Millrace's own.
 */
export function bindingsOf(plan: Plan): PlannedBinding[] {
  const found = new Map<string, SinkBinding & { sinks: string[] }>();
  const queues = queuesOf(plan);
  for (const operator of plan.operators.values()) {
    if (operator.kind !== "sink") continue;
    for (const wanted of operator.sink.bindings ?? []) {
      const sink = described(operator);
      checkBinding(sink, wanted);
      const owner = queues.find(
        ({ queue }) =>
          queue.binding === wanted.binding ||
          (wanted.kind === "queue" && [queue.queue, queue.deadLetterQueue].includes(wanted.name)),
      );
      if (owner !== undefined) {
        const whose = described({ kind: "kind" in owner ? owner.kind : "source", name: owner.name });
        throw new PlanError(
          `${sink} wants the ${wanted.kind} ${wanted.name} as ${wanted.binding}, but ${whose} has that; choose another`,
        );
      }
      const known = found.get(wanted.binding);
      if (known === undefined) {
        const { kind, binding, name } = wanted;
        found.set(binding, { kind, binding, name, sinks: [operator.name] });
      } else if (known.kind !== wanted.kind || known.name !== wanted.name) {
        throw new PlanError(
          `the sinks "${known.sinks[0]}" and "${operator.name}" both want the binding ${wanted.binding}, for the ${known.kind} ${known.name} and the ${wanted.kind} ${wanted.name}; rename one`,
        );
      } else {
        known.sinks.push(operator.name);
      }
    }
  }
  return [...found.values()].sort((a, b) => (a.binding < b.binding ? -1 : 1));
}

function checkBinding(sink: string, { kind, binding, name }: SinkBinding): void {
  if (!/^[A-Z][A-Z0-9_]{0,62}$/.test(binding)) {
    throw new PlanError(
      `${sink}: binding ${JSON.stringify(binding)}: use capitals, digits and underscores, starting with a letter`,
    );
  }
  if (!/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(name)) {
    throw new PlanError(
      `${sink}: ${kind === "r2" ? "bucket" : "queue"} ${JSON.stringify(name)}: use 3 to 63 lower-case letters, digits and dashes`,
    );
  }
}
