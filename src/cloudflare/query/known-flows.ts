/** Known flows: the flows of a snapshot, without those that a silent shard would understate. */
import type { ShardStats } from "../../engine/shard/protocol.ts";
import type { OperatorPlan } from "../../plan.ts";
import type { Flow } from "./conservation.ts";
import { flowsOf } from "./conservation.ts";
import type { Snapshot } from "./snapshot.ts";
import { answered } from "./snapshot.ts";

/** An operator of which all shards have answered. */
export interface Whole {
  readonly operator: OperatorPlan;
  readonly stats: readonly ShardStats[];
}

/** A flow into an operator of which everything is known. */
export interface KnownFlow extends Flow {
  /** It comes from another operator, not from an HTTP source. */
  readonly internal: boolean;
  /** Whether `accepted` is known, which others may know better than this operator. */
  readonly sure: boolean;
}

export function wholeOf({ operators }: Snapshot): Whole[] {
  return operators.flatMap(({ operator, shards }) => {
    const stats = answered(shards);
    return stats.length === shards.length ? [{ operator, stats }] : [];
  });
}

/** Events accepted from each HTTP source of which that is known. */
export function acceptedOf(flows: readonly KnownFlow[]): Map<string, number> {
  const external = flows.filter(({ internal, sure }) => sure && !internal);
  return new Map(external.map(({ source, accepted }) => [source, accepted]));
}

/** The flows into operators of which all shards have answered. */
export function knownFlows(snapshot: Snapshot): KnownFlow[] {
  const { operators } = snapshot;
  const whole = wholeOf(snapshot);
  const names = new Set(operators.map(({ operator }) => operator.name));
  const answering = new Set(whole.map(({ operator }) => operator.name));
  // Of what comes from a silent operator nobody else knows how much it is; of what comes from an HTTP source, a silent
  // shard of any operator that reads it may know the most.
  const unsure = new Set(
    operators
      .filter(({ operator }) => !answering.has(operator.name))
      .flatMap(({ operator }) => [operator.name, ...operator.sources.filter((source) => !names.has(source))]),
  );
  const reports = whole.flatMap(({ operator, stats }) =>
    stats.map((one) => ({ ...one, operator: operator.name })),
  );
  const flows = flowsOf(
    operators.map(({ operator }) => operator),
    reports,
  );
  return flows
    .filter(({ operator }) => answering.has(operator))
    .map((flow) => ({ ...flow, internal: names.has(flow.source), sure: !unsure.has(flow.source) }));
}
