/** The plan that runs, as a deployment or a file tells it, beside the one that is to follow it. */
import { readFile } from "node:fs/promises";
import * as v from "valibot";
import { messageOf } from "../../src/index.ts";
import { planDescriptionSchema } from "../../src/plan/description-schema.ts";
import type { Change, PlanDescription } from "../../src/plan.ts";
import { CommandError } from "./failure.ts";

/** Where a deployment tells its plan. */
const PLAN_PATH = "/v1/jobs";
const PATIENCE_MS = 30_000;

/**
 * The plan that runs.
 *
 * @param place the URL of a deployment, or a file that `npm run plan -- --json` has written.
 * @param key what the deployment is asked with; needs the scope `read`.
 * @throws CommandError when it cannot be told.
 */
export async function readRunning(place: string, key: string | undefined): Promise<PlanDescription> {
  return /^https?:\/\//.test(place)
    ? await readDeployed(place, key)
    : parseDescription(await readText(place), place);
}

async function readDeployed(place: string, key: string | undefined): Promise<PlanDescription> {
  const url = new URL(PLAN_PATH, place);
  let status: number;
  let text: string;
  try {
    const response = await fetch(url, {
      headers: key === undefined ? {} : { authorization: `Bearer ${key}` },
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    status = response.status;
    text = await response.text();
  } catch (thrown) {
    const cause = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown;
    throw new CommandError(`${url} does not answer (${messageOf(cause)}): what runs there is not known.`);
  }
  if (status === 401 || status === 403) {
    throw new CommandError(
      `${url} does not tell its plan (HTTP ${status}): set MILLRACE_KEY to a key with the scope "read".`,
    );
  }
  if (status !== 200) throw new CommandError(`${url} does not tell its plan: HTTP ${status}.`);
  return parseDescription(text, url.href);
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (thrown) {
    throw new CommandError(`${file} cannot be read: ${messageOf(thrown)}.`);
  }
}

/** A description, by itself or as the `plan` of what a deployment answers. @throws CommandError when it is none. */
export function parseDescription(text: string, place: string): PlanDescription {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new CommandError(`${place} is no plan: it is not JSON.`);
  }
  const answer = v.safeParse(v.object({ plan: v.unknown() }), value);
  const result = v.safeParse(planDescriptionSchema, answer.success ? answer.output.plan : value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const at = v.getDotPath(issue) ?? "the whole";
  throw new CommandError(
    `${place} is no plan that can be compared (${at}: ${issue.message}): a version before this one may have written it.`,
  );
}

/** A line for each change, those that are refused first. */
export function changesText(changes: readonly Change[]): string {
  if (changes.length === 0) return "Nothing changes.\n";
  return changes
    .map(
      ({ change, what, name, compatible, reason }) =>
        `${compatible ? "ok     " : "REFUSED"} ${change} ${what} ${name}: ${reason}\n`,
    )
    .join("");
}

/** @throws CommandError with the refused changes, when there are any. */
export function mustBeCompatible(changes: readonly Change[], place: string): void {
  const refused = changes.filter(({ compatible }) => !compatible);
  if (refused.length === 0) return;
  throw new CommandError(
    `The plan cannot follow the one that runs (${place}).\n\n${changesText(refused).trimEnd()}`,
  );
}
