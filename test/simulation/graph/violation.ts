/** Violation: what the simulation found wrong. */
export class Violation extends Error {}

/** @throws Violation when the two differ as JSON. */
export function same(what: string, actual: unknown, expected: unknown): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== b) throw new Violation(`${what}: ${a}, the recount says ${b}`);
}

/** A map as a list that compares. */
export function listed<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}
