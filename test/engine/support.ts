/** What the engine's tests share: small jobs, segments and calls made by hand, and shards over any store. */
import { VirtualClock } from "../../src/clock.ts";
import { seal } from "../../src/engine/envelope.ts";
import type { QueueLimits } from "../../src/engine/event-queue.ts";
import { MEMORY_LIMITS } from "../../src/engine/memory-queue.ts";
import type { Segment, ShardContent } from "../../src/engine/segment.ts";
import { ProducerKind, RECORD_WIDTH } from "../../src/engine/segment.ts";
import type { ShardCall, ShardSegment } from "../../src/engine/shard/protocol.ts";
import { readRange } from "../../src/engine/shard/reader.ts";
import type { ShardLimits } from "../../src/engine/shard/shard.ts";
import { Shard } from "../../src/engine/shard/shard.ts";
import type { Packed } from "../../src/engine/source/packer.ts";
import type { Reading } from "../../src/engine/source-executor.ts";
import { SourceExecutor } from "../../src/engine/source-executor.ts";
import type { AggregateOptions, Aggregator, Plan, SourceCollector, SourcePlan } from "../../src/index.ts";
import { count, Job, planJobs, Source } from "../../src/index.ts";
import type { OperatorPlan } from "../../src/plan.ts";
import { PageCache } from "../../src/state/page-cache.ts";
import type { StateStore } from "../../src/state/store.ts";

export const P = "0123456789abcdef0123456789abcdef";
export const Q = "ffffffffffffffffffffffffffffffff";
export const NOW = 1_750_000_000_000;

/** Emits each record as it is. */
export class Records<T = { key: string }> extends Source<T> {
  getEvents(input: unknown, collector: SourceCollector<T>): void {
    collector.emit(input as T);
  }
}

/** A job of one source and one aggregate over its `key`. */
export function countJob<Acc, Out>(
  aggregator = count() as unknown as Aggregator<{ key: string }, Acc, Out>,
  options: AggregateOptions = { shards: 1 },
): Plan {
  const job = new Job("job");
  job
    .addSource(new Records("records"))
    .keyBy(({ key }) => key)
    .aggregate("counts", aggregator, options);
  return planJobs([job]);
}

export function operatorOf(plan: Plan, name = "counts"): OperatorPlan {
  const operator = plan.operators.get(name);
  if (operator === undefined) throw new Error(`no operator ${name}`);
  return operator;
}

export function sourceExecutor(plan: Plan, name = "records"): SourceExecutor {
  return new SourceExecutor(plan, plan.sources.get(name) as SourcePlan);
}

export function read(executor: SourceExecutor, values: Iterable<unknown>): Reading {
  return executor.read({ values: [...values] }, `${P}.0`, NOW);
}

export function pack(
  executor: SourceExecutor,
  reading: Reading,
  {
    limits = MEMORY_LIMITS,
    single = false,
    sequence = 0,
  }: { limits?: QueueLimits; single?: boolean; sequence?: number } = {},
): Packed {
  const kind = single ? ProducerKind.client : ProducerKind.isolate;
  return executor.pack(reading, { producer: P, sequence, kind, arrival: NOW, before: 0, single }, limits);
}

/** Per operator, how the events of segments are accounted for. */
export function accountOf(
  segments: readonly Segment[],
): Record<string, { applied: number; dropped: number; dead: number }> {
  const accounts: Record<string, { applied: number; dropped: number; dead: number }> = {};
  for (const { operator, byShard } of segments.flatMap((segment) => segment.parts)) {
    accounts[operator] ??= { applied: 0, dropped: 0, dead: 0 };
    const account = accounts[operator];
    for (const { records, dropped, dead } of byShard) {
      for (let at = 0; at < records.length; at += RECORD_WIDTH) account.applied += records[at + 2] as number;
      account.dropped += dropped;
      account.dead += dead.reduce((sum, { n }) => sum + n, 0);
    }
  }
  return accounts;
}

export function shardOver(
  store: StateStore,
  plan: Plan,
  {
    limits = {},
    shard = 0,
    clock = new VirtualClock(NOW),
    cache = new PageCache(),
    operator = "counts",
  }: {
    limits?: Partial<ShardLimits>;
    shard?: number;
    clock?: VirtualClock;
    cache?: PageCache;
    operator?: string;
  } = {},
): Shard {
  return new Shard({
    generation: plan.generation,
    operator: operatorOf(plan, operator),
    shard,
    store,
    cache,
    clock,
    limits,
  });
}

/** A segment with one record per key, each standing for one event. */
export function segment(
  sequence: number,
  counts: Readonly<Record<string, unknown>>,
  more: Partial<ShardSegment & ShardContent> = {},
): ShardSegment {
  const records = Object.entries(counts).flatMap(([key, partial]) => [
    key,
    partial,
    typeof partial === "number" ? partial : 1,
  ]);
  return {
    source: "records",
    producer: P,
    sequence,
    kind: ProducerKind.isolate,
    arrival: NOW,
    events: records.length / RECORD_WIDTH,
    before: 0,
    anchored: true,
    content: contentOf({ records, dropped: 0, dead: [], ...more }),
    ...withoutContent(more),
  };
}

function contentOf({ records, dropped, dead, times }: ShardContent): string | null {
  if (records.length + dropped + dead.length === 0) return null;
  return seal({ records, dropped, dead, ...(times === undefined ? {} : { times }) });
}

function withoutContent({ records, dropped, dead, times, ...rest }: Partial<ShardSegment & ShardContent>) {
  return rest;
}

export function call(segments: readonly ShardSegment[], more: Partial<ShardCall> = {}): ShardCall {
  return { v: 1, generation: 1, operator: "counts", shard: 0, shards: 1, segments, ...more };
}

export function viewOf(shard: Shard): Record<string, unknown> {
  return Object.fromEntries(readRange(shard, { limit: 1e9 }).map(({ key, value }) => [key, value]));
}
