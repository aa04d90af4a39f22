/**
 * Segment: the events of one request, routed and packed; the unit of identity.
 *
 * `(producer, sequence)` names a segment for ever: whatever copies of it the queue delivers, each shard applies it once.
 * Its content is fixed when it is accepted. What it holds for an operator is already grouped by shard, so a delivery
 * after a deploy cannot route an event differently.
 */
import type { Event } from "../event.ts";
import type { Window } from "../windows/window.ts";
import type { Usage } from "./usage.ts";

/** Who numbers the segments, which decides how accepted events are counted. */
export const ProducerKind = {
  /** An ingest isolate: numbers without gaps and states how many events went before. */
  isolate: 0,
  /** A client, or the gate on behalf of one (an idempotency key): may send a segment again after a deploy. */
  client: 1,
  /** A redrive of dead letters: its events were counted as accepted before. */
  redrive: 2,
  /** From one shard to another: numbers without gaps, comes in order, and is counted where it is emitted. */
  channel: 3,
} as const;
export type ProducerKind = (typeof ProducerKind)[keyof typeof ProducerKind];

export interface SegmentId {
  /** 128 bits as 32 lower-case hex digits. */
  readonly producer: string;
  /** 0, 1, 2, … */
  readonly sequence: number;
}

export interface Segment extends SegmentId {
  readonly kind: ProducerKind;
  /** When it was first accepted, epoch milliseconds. */
  readonly arrival: number;
  /** How many events it stands for. */
  readonly events: number;
  /** Events in the earlier segments of this producer (kind `isolate`), else 0. */
  readonly before: number;
  readonly parts: readonly OperatorPart[];
  /** Where something behind its source goes by event time. */
  readonly time?: SegmentTime;
  /** What its sender has used for the source besides what segments tell: it stores nothing itself. */
  readonly used?: Readonly<Usage>;
}

/** What a segment means for the watermark of its source. */
export interface SegmentTime {
  /** The hold that it was sent under: an epoch of an ingest isolate, or the producer of a replay. */
  readonly hold: string;
  /** Its number there: 0, 1, 2, … */
  readonly n: number;
  /** Of a replay: the latest event time in what the log had before it; −1 at its start. Else its arrival says what is late. */
  readonly front?: number;
  /** What the sender says: all events with this time or an earlier one have been accepted, or are in this segment. */
  readonly watermark?: number;
}

/** What a segment holds for one stateful operator. */
export interface OperatorPart {
  readonly operator: string;
  /** The number of shards that it was routed with. */
  readonly shards: number;
  readonly byShard: readonly ShardPart[];
}

/** What a segment holds for one shard. Over all shards of an operator, `n`, `dropped` and dead events add up to `events`. */
export interface ShardPart extends ShardContent {
  readonly shard: number;
}

/** What one shard is to apply. */
export interface ShardContent {
  /** `key, partial accumulator, n` in turns; `n` = how many events are accounted for by this record. */
  readonly records: readonly unknown[];
  /** Events that filters dropped on the way to this operator; they count as applied. */
  readonly dropped: number;
  readonly dead: readonly DeadEvent[];
  /** The latest event time in each record, for operators that something reads. */
  readonly times?: readonly number[];
}

/** An event in a record of an operator that sees each event; its key is the record's. */
export type PackedEvent = readonly [id: string, time: number, data: unknown, port?: number];

export function packEvent({ id, time, data }: Event<unknown>, port: number): PackedEvent {
  return port === 0 ? [id, time, data] : [id, time, data, port];
}

/** The event of a record. @param keyed whether its operator follows a `keyBy`. */
export function unpackEvent(
  [id, time, data, port]: PackedEvent,
  key: string,
  keyed: boolean,
): Event<unknown> & { readonly port?: number } {
  return { id, time, ...(keyed ? { key } : {}), data, ...(port === undefined ? {} : { port }) };
}

/** What a record of a windowed aggregate holds, where events are combined per key and window: `window.end`, the window's length, a partial accumulator. */
export type PackedPartial = readonly [end: number, length: number, partial: unknown];

export function packPartial({ start, end }: Window, partial: unknown): PackedPartial {
  return [end, end - start, partial];
}

/** An event that user code threw on before it was durable. */
export interface DeadEvent {
  /** The operator that threw. */
  readonly operator: string;
  readonly error: string;
  readonly event: {
    readonly id: string;
    readonly time: number;
    readonly key?: string;
    readonly data: unknown;
    /** The input that it came in by, when not the first. */
    readonly port?: number;
  };
  /** 1 when this entry accounts for the event, 0 when another record of it already does. */
  readonly n: number;
}

/** Records are triples in a flat list: one array instead of one per record. */
export const RECORD_WIDTH = 3;

/** How long after its acceptance a segment may be applied, ms: a queue's whole retention. Shards remember for longer. */
export const HORIZON = 14 * 86_400_000;
