/** Options of `simulate`: what the user asked for, checked, and the text that explains it. */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { UsageError, wholeNumber } from "../usage.ts";

export const help = `npm run simulate -- [options]

Runs the engine among everything that can go wrong, one world for each seed, and compares each with a plain recount.
The same seed always does the same.

  --seeds N      how many seeds (default 1000)
  --from SEED    the first one (default 1)
  --world NAME   one of ${["all", "shop", "graphs", "event-time"].join(", ")}: shop is one job with two aggregates, its clients and its
                 horizons; graphs is any job; event-time is windows, timers, joins
                 and what comes late (default all)
  --threads N    default: one for each core
  -h, --help     this text

A seed that failed replays alone: npm run simulate -- --seeds 1 --from SEED --world NAME
Exit codes: 0 all agree, 1 some seed fails, 2 wrong use.
`;

export const WORLDS = ["shop", "graphs", "event-time"] as const;
export type WorldName = (typeof WORLDS)[number];

export interface SimulateOptions {
  readonly seeds: number;
  readonly from: number;
  readonly worlds: readonly WorldName[];
  readonly threads: number;
  readonly help: boolean;
}

/** @throws UsageError that names the option. */
export function readOptions(args: readonly string[]): SimulateOptions {
  const { seeds, from, world, threads, help: wanted } = parse(args);
  if (world !== "all" && !WORLDS.some((name) => name === world)) {
    throw new UsageError(`--world: one of all, ${WORLDS.join(", ")}, not ${JSON.stringify(world)}`);
  }
  return {
    seeds: wholeNumber("--seeds", seeds, 1_000_000),
    from: wholeNumber("--from", from, 2 ** 31),
    worlds: WORLDS.filter((name) => world === "all" || world === name),
    threads: wholeNumber("--threads", threads ?? String(availableParallelism()), 256),
    help: wanted,
  };
}

function parse(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        seeds: { type: "string", default: "1000" },
        from: { type: "string", default: "1" },
        world: { type: "string", default: "all" },
        threads: { type: "string" },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    return values;
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n\n${help}`);
  }
}
