/** The plan that a state folder was last run with: what runs next must be able to go on with what that has left there. */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Plan } from "../../src/plan.ts";
import { changesOf, describePlan } from "../../src/plan.ts";
import { changesText, parseDescription } from "../plan/running.ts";
import { reasonOf } from "../send/failure.ts";
import { StartError } from "./failure.ts";

/**
 * Checks the plan against the folder's last one, and makes it the last one. Call it before anything is started.
 *
 * @throws StartError that says what has changed, why the state cannot follow, and what to do.
 */
export function followLastPlan(stateDir: string, plan: Plan): void {
  const file = path.join(stateDir, "plan.json");
  const next = describePlan(plan);
  const last = read(file);
  const refused = last === undefined ? [] : changesOf(last, next).filter(({ compatible }) => !compatible);
  if (refused.length > 0) {
    throw new StartError(
      `Not started: the state in ${stateDir} is of a plan that this one cannot follow.\n\n${changesText(refused)}\nUndo the change; or set STATE_DIR to another folder, or delete this one, to count from zero; or delete ${file} to start all the same.`,
    );
  }
  // Renamed into place: a kill leaves the old one or the new one.
  writeFileSync(`${file}.new`, `${JSON.stringify(next, null, 2)}\n`);
  renameSync(`${file}.new`, file);
}

function read(file: string) {
  if (!existsSync(file)) return undefined;
  try {
    return parseDescription(readFileSync(file, "utf8"), file);
  } catch (thrown) {
    throw new StartError(
      `Not started: what the state was last run with cannot be told. ${reasonOf(thrown)} Delete the file to start all the same.`,
    );
  }
}
