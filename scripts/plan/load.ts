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

/** The plan of an example, which is a deployment of its own. @throws UsageError that names the examples there are. */
export async function loadExample(name: string): Promise<Plan> {
  const { examples } = await import("../../workers/jobs/examples.ts");
  const example = examples.get(name);
  if (example !== undefined) return example.plan;
  const names = [...examples.keys()].join(", ");
  throw new UsageError(
    `--job ${name}: there is no such example; there are: ${names}. Registered jobs are planned together, without --job.`,
  );
}

// Imported late, since a wrong plan throws while its module is loaded.
async function importPlan(): Promise<Plan> {
  return (await import("../../workers/jobs/index.ts")).plan;
}
