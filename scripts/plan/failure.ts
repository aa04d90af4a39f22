/** What `plan` and `deploy` tell their user when they cannot go on: sentences without a stack, and an exit code. */
import { messageOf, PlanError } from "../../src/index.ts";

/** Carries sentences that say what is wrong and what to do. */
export class CommandError extends Error {
  override readonly name: string = "CommandError";
}

/** Wrong use of the command: exit code 2. */
export class UsageError extends CommandError {
  override readonly name = "UsageError";
}

/** Prints what was thrown, and returns the exit code. */
export function report(thrown: unknown): number {
  console.error(sentencesOf(thrown));
  return thrown instanceof UsageError ? 2 : 1;
}

export function sentencesOf(thrown: unknown): string {
  if (thrown instanceof CommandError) return thrown.message;
  if (thrown instanceof PlanError) return `The jobs cannot be planned: ${thrown.message}.`;
  return `This failed: ${messageOf(thrown)}`;
}
