/** Options of `sensors`: what the user asked for, checked, and the text that explains it. */
import { parseArgs } from "node:util";
import { reasonOf } from "../send/failure.ts";
import { serverAddress } from "../server-address.ts";
import { UsageError } from "./failure.ts";

export const help = `npm run sensors -- [options]

Simulates a city's sensors, each of which sends a reading every second, against a server that runs the sensors job
(npm start -- --job sensors), and compares averages and alerts with a plain recount.

  --sensors N    sensors (default 10000)
  --seconds N    how long, in event time (default 120)
  --gateway N    sensors that send together, in one request a second (default 100)
  --single       each reading is a request of its own, as fast as the server answers, for so many seconds of the clock:
                 a sensor sends again when all others have
  --fast         event time goes as fast, or as slowly, as the server takes it. The readings lie in the past, so they are
                 sent as a replay: the server must not have seen later ones (a new STATE_DIR)
  --connections N  requests at once, with --single (default 32) and --fast (default 8)
  --seed N       makes another city (default 1)
  --hook PORT    also takes the alerts of the webhook at this port; start the server with
                 ALERTS_URL=http://localhost:PORT and ALERTS_SECRET=whsec_… set, and this command with the same secret
  --url URL      the server (default http://localhost:8787)
  --key KEY      its key (default MILLRACE_KEY)
  -h, --help     this text

Without --single and --fast a second takes a second, and the delay of alerts is measured: from when each was due by the
clock of this machine until it could be read.

Exit codes: 0 all as recounted, 1 something differs or failed, 2 wrong use.
`;

export interface Options {
  readonly help: boolean;
  readonly sensors: number;
  readonly seconds: number;
  readonly perGateway: number;
  readonly mode: "live" | "single" | "fast";
  readonly connections: number;
  readonly seed: number;
  /** Undefined: no receiver. */
  readonly hookPort: number | undefined;
  readonly hookSecret: string | undefined;
  /** Without a slash at its end. */
  readonly server: string;
  readonly key: string | undefined;
}

/** @throws UsageError that names the option. */
export function readOptions(args: readonly string[], env: NodeJS.ProcessEnv): Options {
  const values = parse(args);
  if (values.single && values.fast) throw new UsageError("--single and --fast exclude each other.");
  const mode = values.single ? "single" : values.fast ? "fast" : "live";
  return {
    help: values.help,
    sensors: wholeNumber("--sensors", values.sensors, 1, 1_000_000),
    seconds: wholeNumber("--seconds", values.seconds, 1, 86_400),
    perGateway: wholeNumber("--gateway", values.gateway, 1, 500),
    mode,
    connections: wholeNumber("--connections", values.connections ?? (mode === "single" ? "32" : "8"), 1, 256),
    seed: wholeNumber("--seed", values.seed, 0, 2 ** 32 - 1),
    hookPort: values.hook === undefined ? undefined : wholeNumber("--hook", values.hook, 0, 65_535),
    hookSecret: env.ALERTS_SECRET || undefined,
    server: serverAddress(values.url, (message) => new UsageError(message)),
    key: values.key ?? (env.MILLRACE_KEY || undefined),
  };
}

function parse(args: readonly string[]) {
  const flag = { type: "boolean", default: false } as const;
  const text = (otherwise: string) => ({ type: "string", default: otherwise }) as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        sensors: text("10000"),
        seconds: text("120"),
        gateway: text("100"),
        single: flag,
        fast: flag,
        connections: { type: "string" },
        seed: text("1"),
        hook: { type: "string" },
        url: text("http://localhost:8787"),
        key: { type: "string" },
        help: { type: "boolean", short: "h", default: false },
      },
    }).values;
  } catch (thrown) {
    throw new UsageError(`${reasonOf(thrown)}; --help lists the options.`);
  }
}

function wholeNumber(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new UsageError(
    `${option} ${text}: give a whole number from ${least} to ${most.toLocaleString("en-US")}.`,
  );
}
