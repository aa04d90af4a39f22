/** Retire: a spec of which the deploy takes an operator away. */
import type { Random } from "../random.ts";
import type { JobSpec } from "./spec.ts";
import { downstreamOf, inputsOf, isStateful, nodesOf } from "./spec.ts";

/** Retires some operator, with all behind it; the spec as it is where that would leave a source unread. */
export function retire(spec: JobSpec, random: Random): JobSpec {
  const candidates = spec.nodes.filter(
    (node) => isStateful(node) && node.kind !== "pull" && node.since === undefined,
  );
  const gone = downstreamOf(spec, random.pick(candidates).name);
  const nodes = spec.nodes.map((node) =>
    gone.has(node.name) && node.since === undefined ? { ...node, until: "old" as const } : node,
  );
  const changed = { ...spec, nodes };
  const kept = nodesOf(changed, "new").map(({ name }) => name);
  const whole = spec.nodes.every(
    ({ kind, name }) => (kind !== "source" && kind !== "pull") || kept.includes(name),
  );
  // Nodes that are read by what stays must stay.
  const broken = nodes.some(
    (node) => node.until === undefined && inputsOf(node).some(({ from }) => gone.has(from)),
  );
  return whole && !broken ? changed : spec;
}
