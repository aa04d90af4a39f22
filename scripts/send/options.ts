/** Options: what the user asked for, checked, and the text that explains it. */
import { parseArgs } from "node:util";
import { serverAddress } from "../server-address.ts";
import { SendError } from "./failure.ts";
import { type Format, formats } from "./formats.ts";
import type { Resume } from "./journal.ts";

export const help = `npm run send -- [options] FILE…

Sends access logs (common or combined), NDJSON or URLs a line to Millrace, each event counted exactly once.
FILE may end in .gz; "-", or no FILE, is standard input.

  --url URL            the server (default MILLRACE_URL, else http://localhost:8787, or PORT)
  --key KEY            sent as Authorization: Bearer (default MILLRACE_KEY)
  --source NAME        the source that takes the events (default clicks)
  --format FORMAT      log, ndjson or urls (default auto: decided line by line)
  --batch N            events in a request, at most (default 500)
  --concurrency N      requests in flight (default 4)
  --replay             let event time follow the log instead of the clock
  --strict             exit with 1 if a line or an event was rejected
  --resume             fail if there is no unfinished send of this input
  --fresh              forget an unfinished send and send everything as new
  --journal DIR        where unfinished sends are kept (default .millrace/send)
  --resend-after S     seconds without progress before what was accepted is sent again (default 10)
  --patience S         seconds without an answer before giving up (default 120)
  -h, --help           this text

Killed at any point, the same command goes on where it was and counts nothing twice. Standard input cannot be read
again, so it cannot be resumed; what the server refuses or loses within a run is sent again all the same.

Exit codes: 0 all events are applied (rejected ones are reported), 1 not all, 2 wrong use, 130 interrupted.
`;

export interface Options {
  readonly help: boolean;
  readonly files: readonly string[];
  /** Without a slash at its end. */
  readonly server: string;
  readonly key: string | undefined;
  readonly source: string;
  readonly format: Format;
  readonly batch: number;
  readonly concurrency: number;
  readonly replay: boolean;
  readonly strict: boolean;
  readonly resume: Resume;
  readonly journal: string;
  /** Milliseconds. */
  readonly resendAfter: number;
  /** Milliseconds. */
  readonly patience: number;
}

/** Wrong use of the command: exit code 2. */
export class UsageError extends SendError {}

/** Throws a `UsageError` that names the option. */
export function readOptions(args: readonly string[], env: NodeJS.ProcessEnv): Options {
  const { values, positionals } = parse(args);
  if (values.fresh && values.resume) throw new UsageError("--fresh and --resume exclude each other.");
  const format = formats.find((name) => name === values.format);
  if (format === undefined)
    throw new UsageError(`--format ${values.format}: use one of ${formats.join(", ")}.`);
  return {
    help: values.help,
    files: positionals.length > 0 ? positionals : ["-"],
    server: serverAddress(
      values.url ?? (env.MILLRACE_URL || `http://localhost:${env.PORT || "8787"}`),
      (message) => new UsageError(message),
    ),
    key: values.key ?? (env.MILLRACE_KEY || undefined),
    source: values.source,
    format,
    batch: wholeNumber("--batch", values.batch, 10_000),
    concurrency: wholeNumber("--concurrency", values.concurrency, 64),
    replay: values.replay,
    strict: values.strict,
    resume: values.fresh ? "never" : values.resume ? "must" : "auto",
    journal: values.journal,
    resendAfter: seconds("--resend-after", values["resend-after"]),
    patience: seconds("--patience", values.patience),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        url: { type: "string" },
        key: { type: "string" },
        source: { type: "string", default: "clicks" },
        format: { type: "string", default: "auto" },
        batch: { type: "string", default: "500" },
        concurrency: { type: "string", default: "4" },
        replay: { type: "boolean", default: false },
        strict: { type: "boolean", default: false },
        resume: { type: "boolean", default: false },
        fresh: { type: "boolean", default: false },
        journal: { type: "string", default: ".millrace/send" },
        "resend-after": { type: "string", default: "10" },
        patience: { type: "string", default: "120" },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (thrown) {
    throw new UsageError(thrown instanceof Error ? thrown.message : String(thrown));
  }
}

function wholeNumber(option: string, text: string, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new UsageError(`${option} ${text}: give a whole number from 1 to ${most}.`);
}

function seconds(option: string, text: string): number {
  const value = Number(text);
  if (value > 0 && value <= 86_400) return value * 1000;
  throw new UsageError(`${option} ${text}: give a number of seconds.`);
}
