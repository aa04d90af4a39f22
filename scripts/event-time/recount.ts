/** Recount: what a benchmark's events have to lead to, and where a run disagrees. */

export interface Recount {
  /** Each result as a line of text, in any order. */
  readonly results: readonly string[];
  /** Each late event as a line of text, in any order. */
  readonly late: readonly string[];
}

/** What is in one list and not in the other, as often as it is: one line each; empty when they are equal up to order. */
export function differences(what: string, got: readonly string[], wanted: readonly string[]): string[] {
  const balance = new Map<string, number>();
  for (const line of got) balance.set(line, (balance.get(line) ?? 0) + 1);
  for (const line of wanted) balance.set(line, (balance.get(line) ?? 0) - 1);
  return [...balance]
    .filter(([, n]) => n !== 0)
    .map(([line, n]) => `${what} ${line}: ${n > 0 ? `${n} too many` : `${-n} missing`}`);
}
