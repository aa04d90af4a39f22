/** Timers: fires those of a shard that are due: by the clock, or by the watermark. */

import { watermarkOf } from "./counters.ts";
import { EVENT_PREFIX, parseTimerKey, type TimerDomain } from "./processors/timer-index.ts";
import type { Shard } from "./shard.ts";

/** Timers of one commit. */
const AT_ONCE = 500;

/** When the shard's first timer of a kind is due, epoch milliseconds; undefined when it has none. */
export function nextTimerOf(shard: Shard, domain: TimerDomain = "processing"): number | undefined {
  const first = shard.timers.first(domain === "event" ? EVENT_PREFIX : "");
  if (first === undefined) return undefined;
  const timer = parseTimerKey(first);
  return timer.domain === domain ? timer.time : undefined;
}

/**
 * Fires timers in processing time that are due by `now`, oldest first, in one commit.
 *
 * @returns true when more are due.
 * @throws ShardRefusedError when a timer's hook throws in a job whose policy is `fail`.
 */
export function fireTimers(shard: Shard, now: number): boolean {
  return fireDue(shard, "processing", now);
}

/**
 * Fires timers in event time that the shard's watermark has reached, oldest first, in one commit.
 *
 * @param moved the watermark has moved here: it is stored with the same commit, or by itself when nothing is due.
 * @returns true when more are due.
 * @throws ShardRefusedError as `fireTimers` does.
 */
export function fireEventTimers(shard: Shard, moved?: number): boolean {
  return fireDue(shard, "event", moved ?? watermarkOf(shard.counters), moved);
}

function fireDue(shard: Shard, domain: TimerDomain, now: number, moved?: number): boolean {
  const { processor } = shard;
  if (shard.busy) return false;
  const due = dueTimers(shard, domain, now);
  if (due.length === 0 && moved === undefined) return false;
  let more = due.length > AT_ONCE;
  const batch = due.slice(0, AT_ONCE);
  shard.transact(
    batch.map(({ index }) => parseTimerKey(index).key),
    (commit) => {
      if (moved !== undefined) commit.counters.watermark = moved;
      let fired = 0;
      for (let next = batch.shift(); next !== undefined; next = batch.shift()) {
        // One that sets itself again and again for what has come must let others have their turn.
        if (++fired > 2 * AT_ONCE) {
          more = true;
          return;
        }
        const timer = parseTimerKey(next.index);
        if (processor.fire?.(timer, commit, next.cursor) === "more") {
          // It has taken up this commit.
          more = true;
          return;
        }
        // What it has set for a time that has come goes before what is later.
        for (const index of commit.takeArmed()) {
          const armed = parseTimerKey(index);
          if (armed.domain !== domain || armed.time > now) continue;
          if (index >= next.index && armed.key === timer.key) insert(batch, { index, cursor: 1 });
          else more = true;
        }
      }
    },
  );
  return more;
}

interface DueTimer {
  /** Its key in the index. */
  readonly index: string;
  readonly cursor: unknown;
}

/** The timers that are due, in their order; one more than a commit takes, if there are more. */
function dueTimers(shard: Shard, domain: TimerDomain, now: number): DueTimer[] {
  if ((nextTimerOf(shard, domain) ?? Number.POSITIVE_INFINITY) > now) return [];
  const due: DueTimer[] = [];
  for (const { key, value } of shard.timers.entries(domain === "event" ? { prefix: EVENT_PREFIX } : {})) {
    const timer = parseTimerKey(key);
    if (timer.domain !== domain || timer.time > now) break;
    due.push({ index: key, cursor: value });
    if (due.length > AT_ONCE) break;
  }
  return due;
}

/** Puts a timer in its place among those that are due, unless it is there. */
function insert(due: DueTimer[], timer: DueTimer): void {
  const at = due.findIndex(({ index }) => index >= timer.index);
  if (at === -1) due.push(timer);
  else if (due[at]?.index !== timer.index) due.splice(at, 0, timer);
}
