/**
 * Checks: graphs that make no sense, whoever built them. Streams cannot build most of these, but a cast can, and so can
 * code that adds nodes itself.
 */
import { PlanError } from "../errors.ts";
import type { GraphNode, SideOutputNode } from "../graph.ts";
import { kindOf } from "../graph.ts";
import type { Job } from "../job.ts";
import { EnrichFunction } from "../operators/enrich.ts";
import { SplitOperator } from "../operators/split.ts";
import { LATE } from "../windows/trigger.ts";
import { hooksOf } from "./fingerprint.ts";

/** @throws PlanError that names the job, the node and the reason. */
export function checkGraph(job: Job): void {
  const names = new Set<string>();
  for (const node of job.nodes) {
    if (names.has(node.name)) {
      refuse(job, `the name "${node.name}" is used twice; names are stable ids, choose another`);
    }
    names.add(node.name);
    checkInputs(job, node);
    mustBeSynchronous(job, node);
  }
  // After the inputs of all are known to be nodes of this job.
  const checked = new Set<GraphNode>();
  for (const node of job.nodes) mustEnd(job, node, [], checked);
}

function checkInputs(job: Job, node: GraphNode): void {
  const { name, kind, inputs } = node;
  if (kind === "source" || kind === "pull") {
    if (inputs.length > 0) refuse(job, `source "${name}" cannot have an input`);
    return;
  }
  if (inputs.length === 0) {
    refuse(job, `the ${kindOf(node)} "${name}" has no input; apply it to a stream`);
  }
  for (const input of inputs) {
    if (job.nodes.includes(input)) continue;
    refuse(
      job,
      `"${name}" reads "${input?.name}", which is not a part of this job; add its source to this job as well, under another name`,
    );
  }
  const wantsKeys = kind === "aggregate" || kind === "process" || ("keyed" in node && node.keyed);
  const keyless = wantsKeys ? inputs.find((input) => input.kind !== "keyBy") : undefined;
  if (keyless !== undefined) {
    refuse(
      job,
      `the ${kindOf(node)} "${name}" needs keys, but "${keyless.name}" has none; put a keyBy between`,
    );
  }
  if (kind === "sideOutput") checkSideOutput(job, node);
  if (kind === "process" && node.ports.length !== inputs.length) {
    refuse(job, `the process "${name}" has ${inputs.length} inputs and ${node.ports.length} ports`);
  }
}

/** Whether an operator of the user's own emits to an output cannot be told; of those that come with Millrace it can. */
function checkSideOutput(job: Job, { inputs, output }: SideOutputNode): void {
  for (const input of inputs) {
    const outputs = outputsOf(input);
    if (outputs === undefined || outputs.includes(output)) continue;
    refuse(
      job,
      `nothing is ever emitted to the side output "${output}" of the ${kindOf(input)} "${input.name}"; ${
        outputs.length > 0
          ? `it has ${outputs.join(", ")}`
          : "only split, a class of your own and a stage have any"
      }`,
    );
  }
}

/** The side outputs of a node; undefined when that is for its own code to say. */
function outputsOf(node: GraphNode): readonly string[] | undefined {
  switch (node.kind) {
    case "operator":
      if (node.operator instanceof SplitOperator) return Object.keys(node.operator.branches);
      return "kind" in node.operator ? [] : undefined;
    case "process":
      return node.process instanceof EnrichFunction ? [] : undefined;
    case "stage":
      return undefined;
    case "aggregate":
      return node.window === undefined ? [] : [LATE];
    default:
      return [];
  }
}

/** @throws PlanError when events could run in a circle. */
function mustEnd(job: Job, node: GraphNode, path: readonly GraphNode[], checked: Set<GraphNode>): void {
  if (checked.has(node)) return;
  const again = path.indexOf(node);
  if (again >= 0) {
    const circle = [...path.slice(again), node].map(({ name }) => `"${name}"`).reverse();
    refuse(job, `events would run in a circle: ${circle.join(" → ")}; a graph has a beginning and an end`);
  }
  for (const input of node.inputs) mustEnd(job, input, [...path, node], checked);
  checked.add(node);
}

/** The types say it too; JavaScript callers and casts get past types. */
function mustBeSynchronous(job: Job, node: GraphNode): void {
  if (node.kind === "stage" || node.kind === "sink" || node.kind === "pull") return;
  if (!hooksOf(node).some((hook) => /^Async/.test(hook.constructor.name))) return;
  refuse(
    job,
    `a hook of "${node.name}" is async, but nothing waits for it; return a value, not a Promise, or make it a stage`,
  );
}

function refuse(job: Job, reason: string): never {
  throw new PlanError(`job ${job.name}: ${reason}`);
}
