/** What `npm run dead-letters` does: lists dead letters over HTTP, shows one, sends them again. */
import { CommandError } from "../plan/failure.ts";
import type { Letter, Page } from "./client.ts";
import { Client, PAGE } from "./client.ts";
import { help, readOptions } from "./options.ts";
import { letterText, listText, redrivenText } from "./text.ts";

/**
 * @returns the exit code.
 * @throws CommandError with what to tell the user.
 */
export async function main(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  print: (text: string) => unknown = (text) => process.stdout.write(text),
): Promise<number> {
  const { command, json, server, key } = readOptions(args, env);
  const client = new Client(server, key);
  const data = (value: unknown) => print(`${JSON.stringify(value, null, 2)}\n`);
  switch (command.action) {
    case "help":
      print(help);
      return 0;
    case "list": {
      const { next, ...page } = await listUpTo(client, command.limit);
      if (json) data({ ...page, ...(next === undefined ? {} : { more: true }) });
      else print(listText(page, next === undefined));
      return 0;
    }
    case "show": {
      const letter = await client.show(command.id);
      if (json) data(letter);
      else print(letterText(letter));
      return 0;
    }
    case "redrive": {
      const redriven = await redrive(client, command.ids);
      if (json) data({ redriven });
      else print(redrivenText(redriven));
      return 0;
    }
  }
}

/** The first `limit` letters as one page, with a `next` when there are more. */
async function listUpTo(client: Client, limit: number): Promise<Page> {
  const entries: Letter[] = [];
  let cursor: string | undefined;
  for (;;) {
    const page = await client.list(Math.min(PAGE, limit - entries.length), cursor);
    entries.push(...page.entries);
    cursor = page.next;
    if (cursor === undefined || entries.length >= limit) return { ...page, entries };
  }
}

/** @returns how many were sent again. @throws CommandError that also says how many were before it failed. */
async function redrive(client: Client, ids: readonly string[] | undefined): Promise<number> {
  let redriven = 0;
  try {
    if (ids === undefined) {
      for (let before: string | undefined; ; ) {
        const answer = await client.redrive({ all: true, before });
        redriven += answer.redriven;
        before = answer.before;
        // What cannot be sent stays, so a round that sent nothing would be the same again.
        if (!answer.more || answer.redriven === 0) return redriven;
      }
    }
    for (let at = 0; at < ids.length; at += PAGE) {
      redriven += (await client.redrive({ ids: ids.slice(at, at + PAGE) })).redriven;
    }
    return redriven;
  } catch (thrown) {
    if (redriven === 0 || !(thrown instanceof CommandError)) throw thrown;
    throw new CommandError(`${thrown.message} Sent again before that: ${redriven}.`, { cause: thrown });
  }
}
