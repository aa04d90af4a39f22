/** Options: what the user asked for in arguments and environment, checked, and the text that explains it. */
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { UsageError } from "./failure.ts";

export const help = `npm start -- [options]

Runs Millrace on this machine. Each line typed, and each line sent to the TCP port, is an event of a source.

  --job NAME      what to run: a job of workers/jobs/index.ts, which runs with all others there (the default), or one
                  of the examples in workers/jobs/examples.ts: sensors, ysb, nexmark-q5, -q7, -q8 and -q11,
                  exercise-1 to exercise-6
  --source NAME   the source that typed lines are for (default: the job's first)
  -h, --help      this text

  PORT            HTTP port (default 8787; 0 = any free one)
  TCP_PORT        TCP port (default 9990; 0 = any free one)
  STATE_DIR       folder for the state (default .millrace/state; of an example, .millrace/ and its name)

Ctrl-C stops it once everything accepted is counted; a second Ctrl-C stops it at once.
`;

export interface Options {
  readonly help: boolean;
  /** Undefined for the job's first. */
  readonly source: string | undefined;
  /** Undefined for the first of the registered ones. */
  readonly job: string | undefined;
  readonly port: number;
  readonly tcpPort: number;
  /** Absolute; undefined for the job's own, see `stateDirOf`. */
  readonly stateDir: string | undefined;
}

const root = fileURLToPath(new URL("../../", import.meta.url));

/** @throws UsageError that names the option or the variable. */
export function readOptions(args: readonly string[], env: NodeJS.ProcessEnv, folder: string): Options {
  const { values } = parse(args);
  return {
    help: values.help,
    source: values.source,
    job: values.job,
    port: portOf("PORT", env.PORT, 8787),
    tcpPort: portOf("TCP_PORT", env.TCP_PORT, 9990),
    stateDir: env.STATE_DIR ? path.resolve(folder, env.STATE_DIR) : undefined,
  };
}

/** The folder of the registered jobs, which share one, or of a job that runs alone. Absolute. */
export function stateDirOf(alone: string | undefined): string {
  return path.join(root, ".millrace", alone ?? "state");
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        source: { type: "string" },
        job: { type: "string" },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (thrown) {
    throw new UsageError(thrown instanceof Error ? thrown.message : String(thrown));
  }
}

function portOf(variable: string, text: string | undefined, otherwise: number): number {
  if (text === undefined || text === "") return otherwise;
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new UsageError(
    `${variable}=${text}: set it to a number from 0 to 65535, where 0 means any free port.`,
  );
}
