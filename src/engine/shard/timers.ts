/** Timers: fires those of a shard's keys that are due. */
import { ProcessProcessor } from "./processors/process.ts";
import { parseTimerKey } from "./processors/timer-index.ts";
import type { Shard } from "./shard.ts";

/** Timers of one commit. */
const AT_ONCE = 500;

/** When the shard's first timer is due, epoch milliseconds; undefined when it has none. */
export function nextTimerOf(shard: Shard): number | undefined {
  const { first } = shard.timers;
  return first === undefined ? undefined : parseTimerKey(first).time;
}

/**
 * Fires timers that are due by `now`, oldest first, in one commit.
 *
 * @returns true when more are due.
 * @throws ShardRefusedError when a timer's hook throws in a job whose policy is `fail`.
 */
export function fireTimers(shard: Shard, now: number): boolean {
  const { processor } = shard;
  if (!(processor instanceof ProcessProcessor) || shard.busy) return false;
  if ((nextTimerOf(shard) ?? Number.POSITIVE_INFINITY) > now) return false;
  const due = [];
  for (const { key } of shard.timers.entries()) {
    const timer = parseTimerKey(key);
    if (timer.time > now) break;
    due.push(timer);
    if (due.length > AT_ONCE) break;
  }
  if (due.length === 0) return false;
  const batch = due.slice(0, AT_ONCE);
  shard.transact(
    batch.map(({ key }) => key),
    (commit) => {
      for (const timer of batch) processor.fire(timer, commit);
    },
  );
  return due.length > AT_ONCE;
}
