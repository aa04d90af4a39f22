/** Options of `plan`: what the user asked for, checked, and the text that explains it. */
import { parseArgs } from "node:util";
import { messageOf } from "../../src/index.ts";
import type { Workload } from "./estimate.ts";
import { UsageError } from "./failure.ts";

export const help = `npm run plan -- [options]

Shows the plan of all registered jobs: graphs, what is fused into what, operators and their shards, queues.

  --job NAME     of this example instead (workers/jobs/examples.ts), to look at and to estimate
  --json         as data
  --mermaid      as a flowchart
  --write        writes what follows from the plan into the three wrangler configs
  --check        exits with 1 when the configs are not those of the plan
  --against X    compares it with what runs: X is the URL of a deployment (asked with the key in MILLRACE_KEY), or a
                 file that --json has written; exits with 1 when it may not follow
  --new-generation   with --against: the generation is moved on purpose
  -h, --help     this text

What it would cost, estimated from list prices:

  --events N     events of one source
  --batch N      events in a request, or in an answer of a pull source (default 100)
  --keys N       distinct keys among the events (default 1000)
  --rate N       events a second (default: as many as fill all batches), and what a day of them costs
  --source NAME  the source, when there are several
  --selectivity NAME=X,…   events that an operator, or an output of it (split.blog), emits for each that it gets
                 (default 1)

Exit codes: 0 done, 1 the plan or a config is wrong, 2 wrong use.
`;

export interface PlanCommand {
  readonly action: "text" | "json" | "mermaid" | "write" | "check" | "against" | "help";
  /** An example instead of the registered jobs. */
  readonly job?: string;
  readonly workload?: Workload;
  /** What to compare with. */
  readonly against?: string;
  readonly newGeneration?: boolean;
}

const ACTIONS = ["json", "mermaid", "write", "check", "against", "help"] as const;

/** @throws UsageError that names the option. */
export function readOptions(args: readonly string[]): PlanCommand {
  const values = parse(args);
  const [action = "text", other] = ACTIONS.filter((name) => values[name]);
  if (other !== undefined && action !== "help")
    throw new UsageError(`--${action} and --${other} exclude each other.`);
  const { events, batch, keys, rate, source, selectivity, against, job } = values;
  if (job !== undefined && !["text", "json", "mermaid", "help"].includes(action))
    throw new UsageError(`--${action} is about the registered jobs: leave --job out.`);
  const chosen = job === undefined ? {} : { job };
  const newGeneration = values["new-generation"];
  if (newGeneration && against === undefined)
    throw new UsageError("--new-generation belongs to a comparison: say --against X as well.");
  if (events === undefined) {
    const stray = Object.entries({ batch, keys, rate, source, selectivity }).find(
      ([, value]) => value !== undefined,
    )?.[0];
    if (stray !== undefined)
      throw new UsageError(`--${stray} belongs to an estimate: say --events N as well.`);
    return { action, ...chosen, ...(against !== undefined && { against, newGeneration }) };
  }
  if (action !== "text" && action !== "json" && action !== "help") {
    throw new UsageError(`--${action} and --events exclude each other.`);
  }
  const workload = {
    events: wholeNumber("--events", events, 1e15),
    batch: wholeNumber("--batch", batch ?? "100", 10_000),
    keys: wholeNumber("--keys", keys ?? "1000", 1e12),
    selectivity: factors(selectivity ?? ""),
    ...(rate !== undefined && { rate: positive("--rate", rate, 1e9) }),
    ...(source !== undefined && { source }),
  };
  return { action, ...chosen, workload };
}

function parse(args: readonly string[]) {
  const flag = { type: "boolean", default: false } as const;
  const value = { type: "string" } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        ...{ json: flag, mermaid: flag, write: flag, check: flag, against: value, "new-generation": flag },
        ...{ job: value, events: value, batch: value, keys: value, rate: value, source: value },
        selectivity: value,
        help: { type: "boolean", short: "h", default: false },
      },
    }).values;
  } catch (thrown) {
    throw new UsageError(`${messageOf(thrown)}; --help lists the options.`);
  }
}

function wholeNumber(option: string, text: string, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new UsageError(`${option} ${text}: give a whole number from 1 to ${most.toLocaleString("en-US")}.`);
}

function positive(option: string, text: string, most: number): number {
  const value = Number(text);
  if (value > 0 && value <= most) return value;
  throw new UsageError(`${option} ${text}: give a number above 0, up to ${most.toLocaleString("en-US")}.`);
}

/** `paid=0.1,split.blog=0.5` */
function factors(text: string): Record<string, number> {
  const pairs = text.split(",").filter(Boolean);
  return Object.fromEntries(
    pairs.map((pair) => {
      const [name = "", factor = ""] = pair.split("=");
      const value = Number(factor);
      if (name !== "" && factor.trim() !== "" && value >= 0 && value <= 1000) return [name, value];
      throw new UsageError(`--selectivity ${pair}: write it like paid=0.1, with a number from 0 to 1000.`);
    }),
  );
}
