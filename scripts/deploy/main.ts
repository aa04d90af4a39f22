/** What `npm run deploy` does: checks, computes the steps, and runs them or shows them. */
import { parseArgs } from "node:util";
import { messageOf } from "../../src/index.ts";
import { checkConfigs } from "../plan/config-files.ts";
import { CommandError, UsageError } from "../plan/failure.ts";
import { loadPlan } from "../plan/load.ts";
import { projectRoot } from "../plan/main.ts";
import { listQueues, mustBeLoggedIn } from "./account.ts";
import { buildWorkers, runSteps, showSteps } from "./run.ts";
import { deploySteps } from "./steps.ts";
import { wranglerIn } from "./wrangler.ts";

const help = `npm run deploy -- [--dry-run]

Creates the queues that are missing, then deploys the operator, query and ingest Workers. Running it again is safe.

  --dry-run   builds everything and shows each step; needs neither an account nor a network
  -h, --help  this text

Exit codes: 0 done, 1 something failed or is not ready, 2 wrong use.
`;

/** Where a deployment takes place; a test puts its own here. */
export interface Place {
  readonly root: string;
  readonly load: typeof loadPlan;
  readonly wrangler: ReturnType<typeof wranglerIn>;
  print(line: string): void;
}

const here: Place = {
  root: projectRoot,
  load: loadPlan,
  wrangler: wranglerIn(projectRoot),
  print: (line) => void process.stdout.write(`${line}\n`),
};

/**
 * @returns the exit code.
 * @throws CommandError with what to tell the user.
 */
export async function main(args: readonly string[], place: Place = here): Promise<number> {
  const options = readOptions(args);
  const { root, load, wrangler, print } = place;
  if (options.help) {
    print(help.trimEnd());
    return 0;
  }
  const plan = await load();
  const problems = checkConfigs(root, plan);
  if (problems.length > 0) throw new CommandError(`Nothing was deployed.\n\n${problems.join("\n\n")}`);
  print("The wrangler configs agree with the plan.");
  if (options["dry-run"]) {
    await showSteps(deploySteps(plan, new Set()), wrangler, print);
    return 0;
  }
  await mustBeLoggedIn(wrangler);
  const steps = deploySteps(plan, await listQueues(wrangler));
  await buildWorkers(steps, wrangler);
  await runSteps(steps, wrangler, print);
  return 0;
}

function readOptions(args: readonly string[]) {
  const flag = { type: "boolean", default: false } as const;
  try {
    return parseArgs({ args: [...args], options: { "dry-run": flag, help: { ...flag, short: "h" } } }).values;
  } catch (thrown) {
    throw new UsageError(`${messageOf(thrown)}; --help lists the options.`);
  }
}
