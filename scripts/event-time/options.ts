/** Options of `event-time`: what the user asked for, checked, and the text that explains it. */
import { parseArgs } from "node:util";
import { UsageError, wholeNumber } from "../usage.ts";

export const help = `npm run event-time -- [options]

Runs the benchmark jobs of event time, in memory on the engine of production, and compares each result, and each late
event, with a plain recount.

  --job NAME       NAMES (default all)
  --events N       (default 1000000)
  --per-request N  events sent together (default 1000)
  --shards N       of each stateful operator (default as the job says)
  --seed N         makes other events (default 1)
  --print          only writes the events of the job, a JSON object a line, for a server that runs it:
                   npm start -- --job nexmark-q5
                   npm run -s event-time -- --job q5 --events 20000 --print | npm run send -- --source events --replay
  -h, --help       this text

The events/s are those of one process without a network: the engine, its queues and stores in memory.
Exit codes: 0 all as recounted, 1 something differs, 2 wrong use.
`;

export interface Options {
  readonly help: boolean;
  /** Undefined for all. */
  readonly job: string | undefined;
  readonly events: number;
  readonly perRequest: number;
  readonly shards: number | undefined;
  readonly seed: number;
  readonly print: boolean;
}

/** @throws UsageError that names the option. */
export function readOptions(args: readonly string[]): Options {
  const { job, events, "per-request": perRequest, shards, seed, print, help: wanted } = parse(args);
  if (print && job === undefined) throw new UsageError("--print: say whose events with --job.");
  return {
    help: wanted,
    job,
    events: wholeNumber("--events", events, 1_000_000_000),
    perRequest: wholeNumber("--per-request", perRequest, 1_000),
    shards: shards === undefined ? undefined : wholeNumber("--shards", shards, 256),
    print,
    seed: wholeNumber("--seed", seed, 2 ** 31),
  };
}

function parse(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        job: { type: "string" },
        events: { type: "string", default: "1000000" },
        "per-request": { type: "string", default: "1000" },
        shards: { type: "string" },
        seed: { type: "string", default: "1" },
        print: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    return values;
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n\n${help}`);
  }
}
