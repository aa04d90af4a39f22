/** What the account has: a login, and queues. */
import { CommandError } from "../plan/failure.ts";
import { complaint, type Wrangler, type WranglerResult } from "./wrangler.ts";

/** @throws CommandError unless wrangler is logged in. */
export async function mustBeLoggedIn(wrangler: Wrangler): Promise<void> {
  const result = await wrangler(["whoami", "--json"]);
  if (result.code === 0) return;
  if (/"loggedIn":\s*false/.test(result.stdout)) {
    throw new CommandError(
      "wrangler is not logged in: run `npx wrangler login`, or set CLOUDFLARE_API_TOKEN, and look with `npx wrangler whoami` (`npm run deploy -- --dry-run` needs no account).",
    );
  }
  throw new CommandError(`wrangler cannot tell who you are: ${complaint(result)}`);
}

/** The names of the account's queues. The list comes in pages of a size that the server chooses, so it ends with an empty one. */
export async function listQueues(wrangler: Wrangler): Promise<Set<string>> {
  const names = new Set<string>();
  for (let page = 1; ; page++) {
    const result = await wrangler(["queues", "list", `--page=${page}`]);
    if (result.code !== 0) throw new CommandError(`The queues cannot be listed: ${complaint(result)}`);
    const before = names.size;
    for (const name of queueNamesIn(result.stdout)) names.add(name);
    // Nothing new is the end as well, should a server answer with its last page again.
    if (names.size === before) return names;
  }
}

/** The column `name` of the table that `wrangler queues list` prints; wrangler has no other form of it. */
export function queueNamesIn(text: string): string[] {
  const rows = text
    .split("\n")
    .filter((line) => line.includes("│"))
    .map((line) => line.split("│").map((cell) => cell.trim()));
  const column = rows[0]?.indexOf("name") ?? -1;
  if (column < 0) return [];
  return rows.slice(1).map((row) => row[column] ?? "");
}

/** Somebody else may have created the queue since it was looked for, and a bucket may be there: that is as good. */
export function saysExists({ output }: WranglerResult): boolean {
  return /already (taken|exists)|you tried to create already|\bcode: (11009|10004)\b/i.test(output);
}
