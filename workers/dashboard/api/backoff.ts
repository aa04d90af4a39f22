/** Backoff: how long to wait before the next try to connect. */

const FIRST_MS = 500;
const LAST_MS = 10_000;

/**
 * Grows with each try in a row, to ten seconds; a random share of it, so that viewers who lost their server together do
 * not come back together.
 *
 * @param attempt 0 for the first try after a break.
 */
export function backoff(attempt: number, random: () => number = Math.random): number {
  const ceiling = Math.min(LAST_MS, FIRST_MS * 2 ** Math.min(attempt, 16));
  return FIRST_MS + random() * (ceiling - FIRST_MS);
}
