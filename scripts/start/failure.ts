/** What ends the command: one sentence for its user that says what is wrong and what to change. */
export class StartError extends Error {
  override readonly name = "StartError";
}

/** Wrong use of the command: exit code 2. */
export class UsageError extends StartError {}
