/** Commit: the scratch copy on which a shard handles one call, and the log entry that it becomes. */
import { messageOf, StateError } from "../../errors.ts";
import type { Aggregate } from "../../operator.ts";
import { RECORD_WIDTH } from "../segment.ts";
import type { SegmentId } from "../segment.ts";
import type { DeadLetter, FlowCounters, ShardSegment } from "./protocol.ts";

const ENTRY_FORMAT = 1;
/** An accumulator must fit a row of storage with room to spare. */
const MAX_ACCUMULATOR_CHARS = 1_000_000;

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
  readonly lookup: (key: string) => unknown;
  readonly now: number;

  constructor(
    aggregate: Aggregate<unknown, unknown, unknown>,
    maxKeys: number,
    counters: ShardCounters,
    lookup: (key: string) => unknown,
    now: number,
  ) {
    this.aggregate = aggregate;
    this.maxKeys = maxKeys;
    this.lookup = lookup;
    this.now = now;
    this.counters = structuredClone(counters);
  }

  applySegment(segment: ShardSegment, counted: number): void {
    const { source } = segment;
    const flow = flowOf(this.counters, source);
    flow.applied += segment.dropped;
    for (const dead of segment.dead) {
      this.addDeadLetter({
        source,
        operator: dead.operator,
        error: dead.error,
        time: this.now,
        n: dead.n,
        event: dead.event,
      });
    }
    for (let at = 0; at < segment.records.length; at += RECORD_WIDTH) {
      const key = segment.records[at] as string;
      const partial = segment.records[at + 1];
      const n = segment.records[at + 2] as number;
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
    this.segments.push({ producer, sequence, kind, source, arrival, counted });
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
    ]);
    return encoder.encode(JSON.stringify([ENTRY_FORMAT, segments, changes, this.counters]));
  }

  #merge(key: string, partial: unknown, n: number): void {
    const { aggregate, counters } = this;
    const old = this.changes.get(key) ?? this.lookup(key);
    if (old === undefined && counters.keys >= this.maxKeys) {
      counters.overflow = storable(aggregate.merge(own(counters.overflow ?? aggregate.create()), partial));
      counters.overflowEvents += n;
      return;
    }
    const merged = storable(aggregate.merge(old === undefined ? aggregate.create() : own(old), partial));
    const before = old === undefined ? 0 : aggregate.result(old);
    const after = aggregate.result(merged);
    // From here on nothing throws: a record counts whole or not at all.
    this.changes.set(key, merged);
    if (old === undefined) counters.keys++;
    if (typeof before === "number" && typeof after === "number") counters.total += after - before;
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
    [string, number, number, string, number, number][],
    unknown[],
    ShardCounters,
  ];
  if (format !== ENTRY_FORMAT)
    throw new StateError(`a log entry of format ${format}; this code knows ${ENTRY_FORMAT}`);
  return {
    segments: segments.map(([producer, sequence, kind, source, arrival, counted]) => ({
      producer,
      sequence,
      kind,
      source,
      arrival,
      counted,
    })),
    changes,
    counters,
  };
}

/** A copy that `merge` may change: if it throws half-way, the stored accumulator is whole. */
function own(accumulator: unknown): unknown {
  return typeof accumulator === "object" && accumulator !== null ? structuredClone(accumulator) : accumulator;
}

/** @throws TypeError when the accumulator would not come back from storage as it is. */
function storable(accumulator: unknown): unknown {
  if (accumulator === undefined || accumulator === null)
    throw new TypeError(`the accumulator is ${String(accumulator)}`);
  if (typeof accumulator === "number" && !Number.isFinite(accumulator)) {
    throw new TypeError(`the accumulator is ${accumulator}, which JSON cannot hold`);
  }
  if (typeof accumulator === "object" || typeof accumulator === "string") {
    const { length } = JSON.stringify(accumulator);
    if (length > MAX_ACCUMULATOR_CHARS) {
      throw new RangeError(
        `the accumulator is ${length} characters long; the limit is ${MAX_ACCUMULATOR_CHARS}`,
      );
    }
  }
  return accumulator;
}
