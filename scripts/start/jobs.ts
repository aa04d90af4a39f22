/** Jobs: finds what `--job` names: one of the deployment's jobs, which run together, or an example, which runs alone. */
import { fileURLToPath } from "node:url";
import type { Plan } from "../../src/plan.ts";
import type { Register } from "../local/workers.ts";
import { reasonOf } from "../send/failure.ts";
import { StartError, UsageError } from "./failure.ts";

export interface ChosenJob {
  readonly name: string;
  /** What runs: all jobs of the register, or the example. */
  readonly plan: Plan;
  /** What to run in place of the register; undefined for the register itself. */
  readonly register?: Register;
  /** Variables of the shell that are for its Workers. */
  readonly variables?: readonly string[];
}

/**
 * @param name undefined for the deployment's first job.
 * @throws UsageError that names the jobs there are; StartError when a job's own code does not load.
 */
export async function chooseJob(name: string | undefined): Promise<ChosenJob> {
  const { plan } = await load(() => import("../../workers/jobs/index.ts"));
  const registered = plan.jobs.map(({ job }) => job);
  const [first] = registered;
  if (name === undefined && first === undefined) {
    throw new StartError("No job is registered; add one to workers/jobs/index.ts, or choose one with --job.");
  }
  const wanted = name ?? (first as string);
  if (registered.includes(wanted)) return { name: wanted, plan };
  const { examples } = await load(() => import("../../workers/jobs/examples.ts"));
  const example = examples.get(wanted);
  if (example === undefined) {
    const names = [...registered, ...examples.keys()].join(", ");
    throw new UsageError(`--job ${wanted}: there is no such job; there are: ${names}.`);
  }
  const { file, plan: its, variables } = example;
  const module = fileURLToPath(new URL(`../../workers/jobs/${file}`, import.meta.url));
  return { name: wanted, plan: its, register: { module, plan: its }, ...(variables && { variables }) };
}

/** The source that typed lines are for when `--source` does not say. @throws UsageError when the job has none. */
export function firstSource({ name, plan }: ChosenJob): string {
  const source = [...plan.sources.values()].find(({ job }) => job === name);
  if (source !== undefined) return source.name;
  const names = [...plan.sources.keys()].join(", ") || "none";
  throw new UsageError(
    `--job ${name}: it has no source that takes lines; name one of another job with --source; there are: ${names}.`,
  );
}

/** Those of the variables that the job reads which are set. */
export function variablesOf({ variables = [] }: ChosenJob, env: NodeJS.ProcessEnv): Record<string, string> {
  const values = variables.map((name) => [name, env[name] ?? ""] as const);
  return Object.fromEntries(values.filter(([, value]) => value !== ""));
}

/** A mistake in a job is the user's, so it is said, not thrown. */
async function load<T>(module: () => Promise<T>): Promise<T> {
  try {
    return await module();
  } catch (thrown) {
    throw new StartError(`The jobs cannot be loaded: ${reasonOf(thrown)}`);
  }
}
