/**
 * Replay: the event time of a log that somebody sends again, in numbered requests.
 *
 * Its clock is the log's: what a request may be late for follows from the event times that the log had before it, and
 * the watermark from those of its contiguous committed prefix. So the same log gives the same result whatever the queue
 * does, and however fast it is sent. When its end is committed, the clock on the wall is the source's again.
 */
import type { Admission, Admitted } from "./protocol.ts";

/** As it is stored. JSON; fields are only ever appended. */
export interface ReplayState {
  /** The next request that is let in. */
  next: number;
  /** The latest event time of all that were let in; −1 before the first. */
  latest: number;
  /** All requests below it are committed. */
  committed: number;
  /** The latest event time of those. */
  reached: number;
  /** Of requests that were let in and are above that: `number, latest event time, front, 1 when committed`. */
  open: [n: number, latest: number, front: number, committed: 0 | 1][];
  /** How many there are, when the last has come. */
  end?: number;
  /** When somebody last sent something, epoch milliseconds. */
  seen: number;
}

/** A replay whose sender has gone without an end is given up after so long, ms. */
export const REPLAY_IDLE_MS = 3_600_000;

export function newReplay(now: number): ReplayState {
  return { next: 0, latest: -1, committed: 0, reached: -1, open: [], seen: now };
}

/** Lets a request in, or says what is missing. A request that comes again gets the answer that it got first. */
export function admit(
  replay: ReplayState,
  { sequence, latest, end }: Pick<Admission, "sequence" | "latest" | "end">,
  now: number,
): Admitted {
  replay.seen = now;
  if (sequence < replay.next) {
    // Once it is committed nobody asks any more what it was late for.
    return { front: replay.open.find(([n]) => n === sequence)?.[2] ?? -1 };
  }
  if (sequence > replay.next) return { wait: replay.next };
  if (replay.end !== undefined) return { refused: `its end was request ${replay.end - 1}` };
  const front = replay.latest;
  replay.open.push([sequence, latest, front, 0]);
  replay.latest = Math.max(front, latest);
  replay.next++;
  if (end) replay.end = replay.next;
  return { front };
}

/** Idempotent. */
export function commit(replay: ReplayState, n: number): void {
  const found = replay.open.find(([number]) => number === n);
  if (found !== undefined) found[3] = 1;
  for (let first = replay.open[0]; first !== undefined && first[3] === 1; first = replay.open[0]) {
    replay.open.shift();
    replay.committed = first[0] + 1;
    replay.reached = Math.max(replay.reached, first[1]);
  }
}

/** Whether it holds its source's watermark back. */
export function isRunning(replay: ReplayState, now: number): boolean {
  return replay.end !== replay.committed && now - replay.seen < REPLAY_IDLE_MS;
}
