/** Reads of a shard: one key, the top, a range, totals. They give what is committed, and change nothing. */

import type { Ranked } from "../../state/top-index.ts";
import { firstByRank } from "../../state/top-index.ts";
import type { SegmentId } from "../segment.ts";
import type { ShardCounters, SinkCounters } from "./counters.ts";
import { parseDestination } from "./outbox.ts";
import { progressKey } from "./processors/relay.ts";
import type { ProducerCount, ShardStats, ViewEntry } from "./protocol.ts";
import type { SegmentOutcome } from "./recent-segments.ts";
import type { Shard } from "./shard.ts";
import { nextTimerOf } from "./timers.ts";

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
  const value = shard.processor.result(accumulator);
  return value === undefined ? undefined : { key, value };
}

/** The first `limit` keys by value (descending, ties by key). Values that are not numbers are left out. */
export function readTop(shard: Shard, limit: number): Ranked[] {
  const { processor } = shard;
  if (processor.growing && shard.top.holds(limit)) return shard.top.top(limit);
  // Without an index every key is looked at.
  return firstByRank(rankedKeys(shard), limit);
}

function* rankedKeys({ state, processor }: Shard): IterableIterator<Ranked> {
  for (const { key, value } of state.entries()) {
    const result = processor.result(value);
    if (typeof result === "number" && Number.isFinite(result)) yield { key, value: result };
  }
}

/** At most `limit` entries in key order that start with `prefix` and come after `after`. */
export function readRange(
  shard: Shard,
  range: { prefix?: string; after?: string; limit: number },
): ViewEntry[] {
  const { processor } = shard;
  const found: ViewEntry[] = [];
  for (const { key, value } of shard.state.entries(range)) {
    if (found.length >= range.limit) break;
    const shown = processor.result(value);
    if (shown !== undefined) found.push({ key, value: shown });
  }
  return found;
}

export function readTotals(shard: Shard): Totals {
  const { keys, total, overflowEvents } = shard.counters;
  return { keys, total, overflow: overflowEvents };
}

/** For each segment of a stage, the positions whose outcome is committed, or `all`. */
export function readProgress(shard: Shard, segments: readonly SegmentId[]): (readonly number[] | "all")[] {
  return segments.map((segment) => {
    // One that is forgotten may not be taken for complete: it is refused when it is committed.
    if (shard.applied.status(segment.producer, segment.sequence) === "applied") return "all";
    return (shard.state.get(progressKey(segment)) ?? []) as readonly number[];
  });
}

/** For each segment, whether this shard has applied it. */
export function readApplied(shard: Shard, segments: readonly SegmentId[]): boolean[] {
  return segments.map(({ producer, sequence }) => shard.applied.status(producer, sequence) !== "new");
}

/** For each segment, whether this shard has applied it, and with what outcome as long as that is remembered. */
export function readOutcomes(shard: Shard, segments: readonly SegmentId[]): (SegmentOutcome | boolean)[] {
  return readApplied(shard, segments).map(
    (applied, n) => applied && (shard.recent.get(segments[n] as SegmentId) ?? true),
  );
}

export function readStats(shard: Shard): ShardStats {
  const { counters, applied, state, log, outbox } = shard;
  const nextTimer = nextTimerOf(shard);
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
    emitted: emittedBy(counters.channels),
    outbox: {
      segments: outbox.size,
      bytes: outbox.bytes,
      ...(outbox.oldest === undefined ? {} : { oldest: outbox.oldest }),
    },
    busy: shard.busy,
    ...(counters.sink === undefined ? {} : { sink: sinkStats(counters.sink) }),
    ...(nextTimer === undefined ? {} : { nextTimer }),
    ...(counters.used === undefined ? {} : { used: counters.used }),
  };
}

function emittedBy(channels: ShardCounters["channels"]): Record<string, number> {
  const emitted: Record<string, number> = {};
  for (const [destination, { events }] of Object.entries(channels ?? {})) {
    const { operator } = parseDestination(destination);
    emitted[operator] = (emitted[operator] ?? 0) + events;
  }
  return emitted;
}

function sinkStats({ first, last, bytes, delivered }: SinkCounters) {
  return { buffered: last - first + 1, bytes, delivered, discarded: first - 1 - delivered };
}
