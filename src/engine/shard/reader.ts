/** Reads of a shard: one key, the top, a range, totals. They give what is committed, and change nothing. */

import type { Ranked } from "../../state/top-index.ts";
import { byRank } from "../../state/top-index.ts";
import type { SegmentId } from "../segment.ts";
import type { ProducerCount, ShardStats, ViewEntry } from "./protocol.ts";
import type { Shard } from "./shard.ts";

export interface Totals {
  readonly keys: number;
  /** Sum of the values, for numeric views. */
  readonly total: number;
  /** Events of keys beyond the view's limit, counted together. */
  readonly overflow: number;
}

/** The value of a key, or undefined if it was never seen. */
export function readKey(shard: Shard, key: string): ViewEntry | undefined {
  const accumulator = shard.state.get(key);
  if (accumulator === undefined) return undefined;
  return { key, value: shard.options.operator.aggregate.result(accumulator) };
}

/** The first `limit` keys by value (descending, ties by key). Values that are not numbers are left out. */
export function readTop(shard: Shard, limit: number): Ranked[] {
  const { aggregate } = shard.options.operator;
  if (aggregate.growing && limit <= shard.top.size) return shard.top.top(limit);
  // Without an index every key is looked at; the best so far stay few.
  let best: Ranked[] = [];
  for (const { key, value } of shard.state.entries()) {
    const result = aggregate.result(value);
    if (typeof result !== "number" || !Number.isFinite(result)) continue;
    best.push({ key, value: result });
    if (best.length >= limit * 2 + 1000) best = best.sort(byRank).slice(0, limit);
  }
  return best.sort(byRank).slice(0, limit);
}

/** At most `limit` entries in key order that start with `prefix` and come after `after`. */
export function readRange(
  shard: Shard,
  range: { prefix?: string; after?: string; limit: number },
): ViewEntry[] {
  const { aggregate } = shard.options.operator;
  const found: ViewEntry[] = [];
  for (const { key, value } of shard.state.entries(range)) {
    if (found.length >= range.limit) break;
    found.push({ key, value: aggregate.result(value) });
  }
  return found;
}

export function readTotals(shard: Shard): Totals {
  const { keys, total, overflowEvents } = shard.counters;
  return { keys, total, overflow: overflowEvents };
}

/** For each segment, whether this shard has applied it. */
export function readApplied(shard: Shard, segments: readonly SegmentId[]): boolean[] {
  return segments.map(({ producer, sequence }) => shard.applied.status(producer, sequence) !== "new");
}

export function readStats(shard: Shard): ShardStats {
  const { counters, applied, state, log } = shard;
  // A shard forgets with its next checkpoint; counted by the clock, all shards of an operator agree on who is forgotten.
  const forgotten = shard.options.clock.now() - shard.limits.producerRetention;
  const producers: ProducerCount[] = [];
  for (const [producer, { kind, source, counted, lastSeen }] of applied.records()) {
    if (lastSeen >= forgotten) producers.push({ producer, kind, source, counted });
  }
  return {
    shard: shard.options.shard,
    lsn: shard.lsn,
    commits: counters.commits,
    checkpointLsn: shard.checkpointLsn,
    logRows: log.rows,
    keys: counters.keys,
    total: counters.total,
    overflow: counters.overflowEvents,
    pages: state.pages,
    rowsWritten: shard.options.store.rowsWritten,
    appliedBytes: applied.bytes,
    flows: counters.flows,
    producers,
    retired: Object.fromEntries(applied.retired(forgotten)),
  };
}
