/** Options of `dead-letters`: what the user asked for, checked, and the text that explains it. */
import { parseArgs } from "node:util";
import { messageOf } from "../../src/index.ts";
import { UsageError } from "../plan/failure.ts";
import { serverAddress } from "../server-address.ts";

export const help = `npm run dead-letters -- [list | show ID | redrive ID… | redrive --all] [options]

Shows the events that operators threw on and the messages that could not be applied at all, and sends them again.

  list               a line for each, by operator and shard, then the messages (this is the default)
  show ID            one of them whole, by its id as it is listed
  redrive ID…        sends these again, under their old identity: what was applied stays applied once
  redrive --all      sends all again that can be; what fails again is a dead letter again

  --limit N          lines of a list, at most (default 50)
  --all              list all of them
  --json             as data
  --url URL          the server (default MILLRACE_URL, else http://localhost:8787, or PORT)
  --key KEY          a key with the scope admin (default MILLRACE_KEY)
  -h, --help         this text

An id is OPERATOR/SHARD/NUMBER, or messages/NUMBER for a whole message. A redrive that fails half-way can be repeated.

Exit codes: 0 done, 1 the server refused or did not answer, 2 wrong use.
`;

export type Command =
  | { readonly action: "help" }
  | { readonly action: "list"; readonly limit: number }
  | { readonly action: "show"; readonly id: string }
  /** Undefined: all. */
  | { readonly action: "redrive"; readonly ids: readonly string[] | undefined };

export interface Options {
  readonly command: Command;
  readonly json: boolean;
  /** Without a slash at its end. */
  readonly server: string;
  readonly key: string | undefined;
}

const DEFAULT_LIMIT = 50;
const ID = /^([a-z][a-z0-9-]*\/\d{1,3}|messages)\/[1-9]\d{0,14}$/;

/** @throws UsageError that names what is wrong. */
export function readOptions(args: readonly string[], env: NodeJS.ProcessEnv): Options {
  const { values, positionals } = parse(args);
  const port = env.PORT || "8787";
  return {
    command: values.help ? { action: "help" } : commandOf(positionals, values),
    json: values.json,
    server: serverAddress(
      values.url ?? (env.MILLRACE_URL || `http://localhost:${port}`),
      (message) => new UsageError(message),
    ),
    key: values.key ?? (env.MILLRACE_KEY || undefined),
  };
}

function commandOf(
  [action = "list", ...ids]: readonly string[],
  { all, limit }: { readonly all: boolean; readonly limit?: string | undefined },
): Command {
  if (limit !== undefined && (action !== "list" || all)) {
    throw new UsageError(all ? "--all and --limit exclude each other." : "--limit belongs to list.");
  }
  switch (action) {
    case "list":
      if (ids.length > 0) throw new UsageError(`list takes no ids: did you mean show ${ids[0]}?`);
      return { action, limit: all ? Number.POSITIVE_INFINITY : limitOf(limit) };
    case "show": {
      const [id, ...more] = ids.map(checkId);
      if (id === undefined || more.length > 0) throw new UsageError("show takes one id, as list gives it.");
      if (all) throw new UsageError("show takes one id; list --all --json gives everything.");
      return { action, id };
    }
    case "redrive":
      if (all !== (ids.length === 0)) {
        throw new UsageError("redrive takes the ids of dead letters, as list gives them, or --all.");
      }
      return { action, ids: all ? undefined : [...new Set(ids.map(checkId))] };
    default:
      throw new UsageError(`${action}: use list, show or redrive; --help explains them.`);
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        all: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        limit: { type: "string" },
        url: { type: "string" },
        key: { type: "string" },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (thrown) {
    throw new UsageError(`${messageOf(thrown)}; --help lists the options.`);
  }
}

function checkId(id: string): string {
  if (ID.test(id)) return id;
  throw new UsageError(`${id}: no id of a dead letter; list gives them, like page-views/0/7 or messages/3.`);
}

function limitOf(text: string | undefined): number {
  if (text === undefined) return DEFAULT_LIMIT;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new UsageError(`--limit ${text}: give a whole number from 1, or --all.`);
}
