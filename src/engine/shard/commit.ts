/** Commit: the scratch copy on which a shard handles one call, and the log entry that it becomes. */
import { messageOf, StateError } from "../../errors.ts";
import type { Aggregate } from "../../operator.ts";
import { copyOf, storable } from "../accumulator.ts";
import type { SegmentId, ShardContent } from "../segment.ts";
import { ProducerKind, RECORD_WIDTH } from "../segment.ts";
import type { DeadLetter, FlowCounters, ShardSegment } from "./protocol.ts";

const ENTRY_FORMAT = 1;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The counters that ride in every commit; each log entry holds them whole. */
export interface ShardCounters {
  commits: number;
  keys: number;
  /** Sum of the results, where they are numbers. */
  total: number;
  /** The accumulator of the keys beyond the view's limit, and how many events went there. */
  overflow: unknown;
  overflowEvents: number;
  nextDeadLetter: number;
  flows: Record<string, FlowCounters>;
}

export function emptyCounters(): ShardCounters {
  return { commits: 0, keys: 0, total: 0, overflow: null, overflowEvents: 0, nextDeadLetter: 1, flows: {} };
}

export function flowOf(counters: ShardCounters, source: string): FlowCounters {
  const { flows } = counters;
  if (!Object.hasOwn(flows, source)) flows[source] = { applied: 0, late: 0, dead: 0, duplicates: 0 };
  return flows[source] as FlowCounters;
}

/** A segment as the log remembers it. */
export interface LoggedSegment extends SegmentId {
  readonly kind: number;
  readonly source: string;
  readonly arrival: number;
  /** The producer's count of accepted events after this segment. */
  readonly counted: number;
  /** How many of the producer's events this shard has accounted for after this segment. */
  readonly settled: number;
}

/** What is known of a producer's events; see ProducerRecord. */
export interface ProducerCounts {
  readonly counted: number;
  readonly settled: number;
}

function countsAfter(
  segment: ShardSegment,
  content: ShardContent,
  { counted, settled }: ProducerCounts,
): ProducerCounts {
  let own = content.dropped;
  for (const { n } of content.dead) own += n;
  for (let at = 2; at < content.records.length; at += RECORD_WIDTH) own += content.records[at] as number;
  switch (segment.kind) {
    case ProducerKind.isolate:
      return { counted: Math.max(counted, segment.before + segment.events), settled: settled + own };
    case ProducerKind.client:
      return { counted: counted + (segment.anchored ? segment.events : 0), settled: settled + own };
    case ProducerKind.redrive:
      // Its events were counted when they were first accepted.
      return { counted: 0, settled: 0 };
  }
}

/** A dead letter and its row. */
export interface NumberedLetter {
  readonly number: number;
  readonly letter: DeadLetter;
}

/** What one call changes. Nothing of the shard changes until it is written. */
export class Commit {
  readonly segments: LoggedSegment[] = [];
  readonly changes = new Map<string, unknown>();
  /** Rows of the dead-letter table to write. */
  readonly deadLetters: NumberedLetter[] = [];
  readonly counters: ShardCounters;

  readonly aggregate: Aggregate<unknown, unknown, unknown>;
  readonly maxKeys: number;
  readonly old: ReadonlyMap<string, unknown>;
  readonly now: number;

  /** @param old the accumulators of all keys that the call names, of those that are there. */
  constructor(
    aggregate: Aggregate<unknown, unknown, unknown>,
    maxKeys: number,
    counters: ShardCounters,
    old: ReadonlyMap<string, unknown>,
    now: number,
  ) {
    this.aggregate = aggregate;
    this.maxKeys = maxKeys;
    this.old = old;
    this.now = now;
    this.counters = structuredClone(counters);
  }

  /** @param before what the shard knew of the producer before this segment. */
  applySegment(segment: ShardSegment, content: ShardContent, before: ProducerCounts): void {
    const { records, dropped, dead: buried } = content;
    const { source } = segment;
    const flow = flowOf(this.counters, source);
    flow.applied += dropped;
    for (const dead of buried) {
      this.addDeadLetter({
        source,
        operator: dead.operator,
        error: dead.error,
        time: this.now,
        n: dead.n,
        event: dead.event,
      });
    }
    for (let at = 0; at < records.length; at += RECORD_WIDTH) {
      const key = records[at] as string;
      const partial = records[at + 1];
      const n = records[at + 2] as number;
      try {
        this.#merge(key, partial, n);
        flow.applied += n;
      } catch (error) {
        this.addDeadLetter({
          source,
          operator: this.aggregate.name,
          error: messageOf(error),
          time: this.now,
          n,
          record: { key, partial },
        });
      }
    }
    const { producer, sequence, kind, arrival } = segment;
    this.segments.push({
      producer,
      sequence,
      kind,
      source,
      arrival,
      ...countsAfter(segment, content, before),
    });
  }

  addDeadLetter(letter: DeadLetter): void {
    flowOf(this.counters, letter.source).dead += letter.n;
    this.deadLetters.push({ number: this.counters.nextDeadLetter++, letter });
  }

  releaseDeadLetter(number: number, letter: DeadLetter): void {
    flowOf(this.counters, letter.source).dead -= letter.n;
    this.deadLetters.push({ number, letter: { ...letter, released: true } });
  }

  encode(): Uint8Array {
    const changes: unknown[] = [];
    for (const [key, value] of this.changes) changes.push(key, value);
    const segments = this.segments.map((s) => [
      s.producer,
      s.sequence,
      s.kind,
      s.source,
      s.arrival,
      s.counted,
      s.settled,
    ]);
    return encoder.encode(JSON.stringify([ENTRY_FORMAT, segments, changes, this.counters]));
  }

  #merge(key: string, partial: unknown, n: number): void {
    const { aggregate, counters } = this;
    const old = this.changes.get(key) ?? this.old.get(key);
    if (old === undefined && counters.keys >= this.maxKeys) {
      counters.overflow = storable(aggregate.merge(copyOf(counters.overflow ?? aggregate.create()), partial));
      counters.overflowEvents += n;
      return;
    }
    const merged = storable(aggregate.merge(old === undefined ? aggregate.create() : copyOf(old), partial));
    const before = old === undefined ? 0 : numeric(aggregate.result(old));
    const after = numeric(aggregate.result(merged));
    // From here on nothing throws: a record counts whole or not at all.
    this.changes.set(key, merged);
    if (old === undefined) counters.keys++;
    counters.total += after - before;
  }
}

export interface LogContent {
  readonly segments: LoggedSegment[];
  /** `key, accumulator` in turns. */
  readonly changes: unknown[];
  readonly counters: ShardCounters;
}

/** @throws StateError when the entry is of a format that this code does not know. */
export function decodeCommit(data: Uint8Array): LogContent {
  const [format, segments, changes, counters] = JSON.parse(decoder.decode(data)) as [
    number,
    [string, number, number, string, number, number, number][],
    unknown[],
    ShardCounters,
  ];
  if (format !== ENTRY_FORMAT)
    throw new StateError(`a log entry of format ${format}; this code knows ${ENTRY_FORMAT}`);
  return {
    segments: segments.map(([producer, sequence, kind, source, arrival, counted, settled]) => ({
      producer,
      sequence,
      kind,
      source,
      arrival,
      counted,
      settled,
    })),
    changes,
    counters,
  };
}

/** What a result adds to the view's total: a result that is no finite number adds nothing, or it would spoil it for ever. */
function numeric(result: unknown): number {
  return typeof result === "number" && Number.isFinite(result) ? result : 0;
}
