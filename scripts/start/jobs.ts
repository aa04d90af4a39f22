/** Jobs: finds what `--job` names: one of the deployment's jobs, which run together, or an exercise, which runs alone. */
import { fileURLToPath } from "node:url";
import type { Plan } from "../../src/plan.ts";
import type { Register } from "../local/workers.ts";
import { reasonOf } from "../send/failure.ts";
import { StartError, UsageError } from "./failure.ts";

export interface ChosenJob {
  readonly name: string;
  /** What runs: all jobs of the register, or the exercise. */
  readonly plan: Plan;
  /** What to run in place of the register; undefined for the register itself. */
  readonly register?: Register;
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
  const { exercises } = await load(() => import("../../workers/jobs/exercises/index.ts"));
  const exercise = exercises.get(wanted);
  if (exercise === undefined) {
    const names = [...registered, ...exercises.keys()].join(", ");
    throw new UsageError(`--job ${wanted}: there is no such job; there are: ${names}.`);
  }
  const module = fileURLToPath(new URL(`../../workers/jobs/exercises/${exercise.file}`, import.meta.url));
  return { name: wanted, plan: exercise.plan, register: { module, plan: exercise.plan } };
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

/** A mistake in a job is the user's, so it is said, not thrown. */
async function load<T>(module: () => Promise<T>): Promise<T> {
  try {
    return await module();
  } catch (thrown) {
    throw new StartError(`The jobs cannot be loaded: ${reasonOf(thrown)}`);
  }
}
