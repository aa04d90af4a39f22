/** Options of `plan`: what the user asked for, checked, and the text that explains it. */
import { parseArgs } from "node:util";
import { messageOf } from "../../src/index.ts";
import type { Workload } from "./estimate.ts";
import { UsageError } from "./failure.ts";

export const help = `npm run plan -- [options]

Shows the plan of all registered jobs: graphs, queues, dead-letter queues, views and their shards.

  --json         as data
  --mermaid      as a flowchart
  --write        writes what follows from the plan into the three wrangler configs
  --check        exits with 1 when the configs are not those of the plan
  -h, --help     this text

What it would cost, estimated from list prices:

  --events N     events of one source
  --batch N      events in a request (default 100)
  --keys N       distinct keys among the events (default 1000)
  --source NAME  the source, when there are several

Exit codes: 0 done, 1 the plan or a config is wrong, 2 wrong use.
`;

export interface PlanCommand {
  readonly action: "text" | "json" | "mermaid" | "write" | "check" | "help";
  readonly workload?: Workload;
}

const ACTIONS = ["json", "mermaid", "write", "check", "help"] as const;

/** @throws UsageError that names the option. */
export function readOptions(args: readonly string[]): PlanCommand {
  const values = parse(args);
  const [action = "text", other] = ACTIONS.filter((name) => values[name]);
  if (other !== undefined && action !== "help")
    throw new UsageError(`--${action} and --${other} exclude each other.`);
  const { events, batch, keys, source } = values;
  if (events === undefined) {
    const stray = Object.entries({ batch, keys, source }).find(([, value]) => value !== undefined)?.[0];
    if (stray !== undefined)
      throw new UsageError(`--${stray} belongs to an estimate: say --events N as well.`);
    return { action };
  }
  if (action !== "text" && action !== "json" && action !== "help") {
    throw new UsageError(`--${action} and --events exclude each other.`);
  }
  const workload = {
    events: wholeNumber("--events", events, 1e15),
    batch: wholeNumber("--batch", batch ?? "100", 10_000),
    keys: wholeNumber("--keys", keys ?? "1000", 1e12),
    ...(source !== undefined && { source }),
  };
  return { action, workload };
}

function parse(args: readonly string[]) {
  const flag = { type: "boolean", default: false } as const;
  const value = { type: "string" } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        ...{ json: flag, mermaid: flag, write: flag, check: flag },
        ...{ events: value, batch: value, keys: value, source: value },
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
