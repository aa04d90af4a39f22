/** Episode: a sensor that is over its limit, and what its readings, once they are in order, make of it. */

/** How long a sensor has to stay over its limit, event time in ms. */
export const PATIENCE_MS = 30_000;
/** How long a reading speaks for its sensor when nothing follows it, event time in ms. */
export const SILENCE_MS = 10_000;

export interface Episode {
  readonly district: string;
  /** The first reading over the limit, and the latest, epoch milliseconds. */
  readonly since: number;
  readonly last: number;
  readonly raised: boolean;
}

/** A reading as far as it matters: when, and the district whose limit it is over, if it is. */
export type Mark = readonly [time: number, over?: string];

/** What is known of a sensor. JSON. */
export interface SensorState {
  readonly episode?: Episode;
  /** In no order: readings that the watermark has not passed. */
  readonly waiting: readonly Mark[];
}

export interface Change {
  readonly district: string;
  readonly kind: "raised" | "resolved";
  readonly since: number;
  readonly at: number;
}

/** Takes the waiting readings up to a time, that time's too, in order. Nothing at or before it may come any more. */
export function settle(
  { episode, waiting }: SensorState,
  upTo: number,
): { state: SensorState; changes: Change[] } {
  const changes: Change[] = [];
  let now = episode;
  for (const mark of waiting.filter(([time]) => time <= upTo).toSorted(inOrder)) {
    // Readings of the moment when it is due go first.
    now = next(whenDue(now, mark[0] - 1, changes), mark, changes);
  }
  now = whenDue(now, upTo, changes);
  const rest = waiting.filter(([time]) => time > upTo);
  return { state: { ...(now && { episode: now }), waiting: rest }, changes };
}

/** The earliest time, as far as is known, at which something is raised or resolved; undefined while nothing is over. */
export function nextChange({ episode, waiting }: SensorState): number | undefined {
  if (episode?.raised === true) return earliest(waiting.filter(([, over]) => over === undefined));
  const since = episode?.since ?? earliest(waiting.filter(([, over]) => over !== undefined));
  return since === undefined ? undefined : since + PATIENCE_MS;
}

function earliest(marks: readonly Mark[]): number | undefined {
  return marks.length === 0 ? undefined : Math.min(...marks.map(([time]) => time));
}

/** Those of one time in an order that does not depend on how they came. */
function inOrder([time, over = ""]: Mark, [otherTime, otherOver = ""]: Mark): number {
  return time - otherTime || (over < otherOver ? -1 : Number(over > otherOver));
}

/** Raises an episode that is due by `now`; forgets one whose sensor has been silent for too long by then. */
function whenDue(episode: Episode | undefined, now: number, changes: Change[]): Episode | undefined {
  if (episode === undefined || episode.raised) return episode;
  const { district, since, last } = episode;
  const due = since + PATIENCE_MS;
  if (due > now) return episode;
  if (due - last > SILENCE_MS) return undefined;
  changes.push({ district, kind: "raised", since, at: due });
  return { ...episode, raised: true };
}

function next(episode: Episode | undefined, [time, over]: Mark, changes: Change[]): Episode | undefined {
  if (over === undefined) {
    if (episode?.raised === true)
      changes.push({ district: episode.district, kind: "resolved", since: episode.since, at: time });
    return undefined;
  }
  if (episode !== undefined && (episode.raised || time - episode.last <= SILENCE_MS))
    return { ...episode, last: time };
  return { district: over, since: time, last: time, raised: false };
}
