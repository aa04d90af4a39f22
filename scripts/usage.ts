/** Usage: what the commands for measuring and testing say when they are used wrongly. */

/** The message says what is wrong. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The value of an option that is a whole number from 1. @throws UsageError that names the option. */
export function wholeNumber(option: string, text: string, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new UsageError(`${option}: a whole number from 1 to ${most}, not ${JSON.stringify(text)}`);
}
