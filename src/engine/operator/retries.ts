/** Retries: how long a message that could not be applied waits for its next delivery. */

/**
 * Backs off to a quarter of an hour, so that the retries of a queue outlast an outage of a day. Where somebody is only
 * busy, half a minute at most at first: it goes on when there is room.
 *
 * @returns whole seconds.
 */
export function retryDelay(attempts: number, busy: boolean, random: () => number): number {
  const longest = busy && attempts <= 20 ? 30 : 900;
  const base = Math.min(2 ** Math.min(attempts, 20), longest);
  return Math.ceil(base * (0.5 + random() / 2));
}
