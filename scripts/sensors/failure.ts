/** What the sensors command tells its user when it cannot go on: sentences without a stack. */
export class SensorsError extends Error {
  override readonly name: string = "SensorsError";
}

/** Wrong use of the command: exit code 2. */
export class UsageError extends SensorsError {
  override readonly name = "UsageError";
}
