/** What `npm run deploy` does: checks, computes the steps, and runs them or shows them. */
import { parseArgs } from "node:util";
import { messageOf, type Plan } from "../../src/index.ts";
import { changesOf, describePlan } from "../../src/plan.ts";
import { checkConfigs } from "../plan/config-files.ts";
import { CommandError, UsageError } from "../plan/failure.ts";
import { loadPlan } from "../plan/load.ts";
import { projectRoot } from "../plan/main.ts";
import { changesText, mustBeCompatible, readRunning } from "../plan/running.ts";
import { listQueues, mustBeLoggedIn } from "./account.ts";
import { buildWorkers, runSteps, showSteps } from "./run.ts";
import { deploySteps } from "./steps.ts";
import { wranglerIn } from "./wrangler.ts";

const help = `npm run deploy -- [options]

Creates the queues and buckets that are missing, then deploys the operator, query and ingest Workers. Running it again is
safe. When it is told where the deployment runs that it follows, it first checks that nothing in flight is lost by it.

  --running URL      the deployment that runs (default MILLRACE_URL), asked with the key in MILLRACE_KEY
  --new-generation   the plan's generation is moved on purpose: all state starts anew
  --dry-run          builds everything and shows each step; needs neither an account nor a network
  -h, --help         this text

Exit codes: 0 done, 1 something failed or is not ready, 2 wrong use.
`;

/** Where a deployment takes place; a test puts its own here. */
export interface Place {
  readonly root: string;
  readonly load: typeof loadPlan;
  readonly wrangler: ReturnType<typeof wranglerIn>;
  readonly env: Readonly<Record<string, string | undefined>>;
  print(line: string): void;
}

const here: Place = {
  root: projectRoot,
  load: loadPlan,
  wrangler: wranglerIn(projectRoot),
  env: process.env,
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
  await mustFollowRunning(plan, options, place);
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

/** @throws CommandError when the plan may not follow the one that runs, or that one cannot be told. */
async function mustFollowRunning(
  plan: Plan,
  options: { readonly running?: string | undefined; readonly "new-generation": boolean },
  { env, print }: Place,
): Promise<void> {
  const running = options.running ?? (env.MILLRACE_URL || undefined);
  if (running === undefined) {
    print(
      "NOT compared with what runs: if there is a deployment already, say --running URL (or set MILLRACE_URL), with a key in MILLRACE_KEY.",
    );
    return;
  }
  const before = await readRunning(running, env.MILLRACE_KEY || undefined);
  const newGeneration = options["new-generation"];
  const changes = changesOf(before, describePlan(plan), { newGeneration });
  mustBeCompatible(changes, running);
  print(`The plan may follow the one that runs at ${running}:\n${changesText(changes).trimEnd()}`);
}

function readOptions(args: readonly string[]) {
  const flag = { type: "boolean", default: false } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        ...{ "dry-run": flag, "new-generation": flag, running: { type: "string" } },
        help: { ...flag, short: "h" },
      },
    }).values;
  } catch (thrown) {
    throw new UsageError(`${messageOf(thrown)}; --help lists the options.`);
  }
}
