/** HighWater: how many messages may wait in a queue before ingest refuses what would end up in it. */
import type { OperatorPlan, SourcePlan, StagePlan, Target } from "../plan.ts";

const DEFAULT_HIGH_WATER = 10_000;

/** The deployment's mark in messages, from a configured text; the default when that is not a whole number. */
export function highWaterOf(text: string | undefined): number {
  return text !== undefined && /^\d{1,15}$/.test(text.trim()) ? Number(text) : DEFAULT_HIGH_WATER;
}

/** The mark of one queue, in messages: what its stage says, else the deployment's. */
export function markOf(owner: SourcePlan | StagePlan, deployment: number): number {
  return isStage(owner) ? (owner.highWater ?? deployment) : deployment;
}

export function isStage(owner: SourcePlan | StagePlan): owner is StagePlan {
  return "stage" in owner;
}

/** The stages that events of a source may come to, through however many operators: what waits there came from it. */
export function stagesBehind({ targets }: SourcePlan): StagePlan[] {
  const met = new Set<OperatorPlan>();
  const visit = (target: Target): void => {
    if (target.kind === "local" || met.has(target)) return;
    met.add(target);
    for (const next of target.outputs.targets) visit(next);
  };
  for (const target of targets) visit(target);
  return [...met].filter((operator) => operator.kind === "stage");
}
