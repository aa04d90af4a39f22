/** Loads the plan that the Workers run: importing the register of jobs builds and checks it. */
import type { Plan } from "../../src/index.ts";
import { messageOf, PlanError } from "../../src/index.ts";
import { CommandError, UsageError } from "./failure.ts";

const REGISTER = "workers/jobs/index.ts";

/**
 * @throws PlanError when the jobs cannot be planned together.
 * @throws CommandError when their code cannot be loaded at all.
 */
export async function loadPlan(load = importPlan): Promise<Plan> {
  try {
    return await load();
  } catch (thrown) {
    if (thrown instanceof PlanError) throw thrown;
    throw new CommandError(`The jobs in ${REGISTER} cannot be loaded: ${messageOf(thrown)}`, {
      cause: thrown,
    });
  }
}

/** The plan of an exercise, which is a deployment of its own. @throws UsageError that names the exercises there are. */
export async function loadExercise(name: string): Promise<Plan> {
  const { exercises } = await import("../../workers/jobs/exercises/index.ts");
  const exercise = exercises.get(name);
  if (exercise !== undefined) return exercise.plan;
  const names = [...exercises.keys()].join(", ");
  throw new UsageError(
    `--job ${name}: there is no such exercise; there are: ${names}. Registered jobs are planned together, without --job.`,
  );
}

// Imported late, since a wrong plan throws while its module is loaded.
async function importPlan(): Promise<Plan> {
  return (await import("../../workers/jobs/index.ts")).plan;
}
