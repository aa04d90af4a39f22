/** Workload: what is assumed to come to one source, and which of its events get how far. */
import type { Origin, Plan, PullPlan, SourcePlan, Step } from "../../../src/plan.ts";
import { originOf, pullsOf } from "../../../src/plan.ts";
import { UsageError } from "../failure.ts";

export interface Workload {
  readonly source?: string;
  readonly events: number;
  /** Events in a request, or in an answer of a pull source. */
  readonly batch: number;
  /** Distinct keys among the events, the same for each operator. */
  readonly keys: number;
  /** Events a second; undefined for as many as fill all batches. */
  readonly rate?: number;
  /** What an operator, or an output of it (`split.blog`), emits for each event that it gets; 1 for those not named. */
  readonly selectivity: Readonly<Record<string, number>>;
}

/** A way from an origin to an operator. */
export interface Way {
  readonly target: string;
  /** Events that arrive for each that sets out. */
  readonly factor: number;
  readonly port: number;
}

/** @throws UsageError when it is not clear which source is meant. */
export function sourceOf(plan: Plan, name: string | undefined): SourcePlan | PullPlan {
  const sources = new Map<string, SourcePlan | PullPlan>(
    [...plan.sources.values(), ...pullsOf(plan)].map((source) => [source.name, source]),
  );
  const names = [...sources.keys()].sort();
  const source = sources.get(name ?? (names.length === 1 ? (names[0] ?? "") : ""));
  if (source !== undefined) return source;
  if (name !== undefined)
    throw new UsageError(`--source ${name}: there is none; use one of ${names.join(", ")}.`);
  throw new UsageError(`An estimate is for one source: say --source NAME, one of ${names.join(", ")}.`);
}

/** All ways from an origin through the steps that are fused into it. */
export function waysFrom(plan: Plan, name: string, { selectivity }: Workload): Way[] {
  const { outputs } = originOf(plan, name) as Origin;
  const emitted = (of: string) => selectivity[of] ?? 1;
  const behind = (steps: readonly Step[], factor: number): Way[] =>
    steps.flatMap((step): Way[] => {
      if (step.kind === "target") return [{ target: step.target.name, factor, port: step.port }];
      if (step.kind === "keyBy") return behind(step.next, factor);
      const { name: of } = step.operator;
      return [...behind(step.next, factor * emitted(of)), ...aside(of, step.sides, factor)];
    });
  const aside = (of: string, sides: Origin["outputs"]["sides"], factor: number): Way[] =>
    Object.entries(sides).flatMap(([output, steps]) => behind(steps, factor * emitted(`${of}.${output}`)));
  return [...behind(outputs.main, emitted(name)), ...aside(name, outputs.sides, 1)];
}

/** @throws UsageError when what is said to emit does not exist. */
export function checkSelectivity(plan: Plan, { selectivity }: Workload): void {
  const known = new Set<string>();
  const collect = (steps: readonly Step[]) => {
    for (const step of steps) {
      if (step.kind === "target") continue;
      if (step.kind === "operator") emits(step.operator.name, step.sides);
      collect(step.next);
    }
  };
  const emits = (of: string, sides: Origin["outputs"]["sides"]) => {
    known.add(of);
    for (const [output, steps] of Object.entries(sides)) {
      known.add(`${of}.${output}`);
      collect(steps);
    }
  };
  for (const { steps } of plan.sources.values()) collect(steps);
  for (const { name, kind, outputs } of plan.operators.values()) {
    if (kind === "process" || kind === "stage") emits(name, outputs.sides);
    else emits("", outputs.sides);
    collect(outputs.main);
  }
  known.delete("");
  const stray = Object.keys(selectivity).find((name) => !known.has(name));
  if (stray === undefined) return;
  throw new UsageError(
    `--selectivity ${stray}: nothing of that name emits events; use one of ${[...known].sort().join(", ")}.`,
  );
}
