/** What `npm run plan` does: prints, estimates, compares, writes or checks. */
import { fileURLToPath } from "node:url";
import { changesOf, describePlan } from "../../src/plan.ts";
import { checkConfigs, writeConfigs } from "./config-files.ts";
import { estimate, estimateText } from "./estimate.ts";
import { CommandError } from "./failure.ts";
import { loadExample, loadPlan } from "./load.ts";
import { planMermaid } from "./mermaid.ts";
import { help, readOptions } from "./options.ts";
import { changesText, readRunning } from "./running.ts";
import { planText } from "./text.ts";

/** The project's top folder. */
export const projectRoot = fileURLToPath(new URL("../..", import.meta.url));

/**
 * @returns the exit code.
 * @throws CommandError with what to tell the user.
 */
export async function main(args: readonly string[], root = projectRoot, load = loadPlan): Promise<number> {
  const { action, job, workload, against = "", newGeneration = false } = readOptions(args);
  if (action === "help") return print(help);
  const plan = job === undefined ? await load() : await loadExample(job);
  const description = describePlan(plan);
  const costs = workload && estimate(plan, workload);
  switch (action) {
    case "text":
      return print(costs ? estimateText(costs) : planText(description));
    case "json":
      return print(`${JSON.stringify(costs ? { ...description, estimate: costs } : description, null, 2)}\n`);
    case "mermaid":
      return print(planMermaid(description));
    case "against": {
      const running = await readRunning(against, process.env.MILLRACE_KEY || undefined);
      const changes = changesOf(running, description, { newGeneration });
      print(changesText(changes));
      return changes.every(({ compatible }) => compatible) ? 0 : 1;
    }
    case "write": {
      const written = writeConfigs(root, plan);
      if (written.length === 0) return print("The wrangler configs are those of the plan already.\n");
      return print(written.map((config) => `Wrote ${config}.\n`).join(""));
    }
    case "check": {
      const problems = checkConfigs(root, plan);
      if (problems.length > 0) throw new CommandError(problems.join("\n\n"));
      return print("The wrangler configs are those of the plan.\n");
    }
  }
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}
