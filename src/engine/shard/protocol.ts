/** The calls between the operator Worker, the query Worker and a shard. Plain data with a version: both ends may differ by a deploy. */
import type { DeadEvent, OperatorPart, ProducerKind, SegmentId } from "../segment.ts";
import type { Usages } from "../usage.ts";

export const SHARD_CALL_VERSION = 1;

/** One batch's segments for one shard; also those that hold nothing for it, so that its prefixes close. */
export interface ShardCall {
  readonly v: number;
  readonly generation: number;
  readonly operator: string;
  readonly shard: number;
  readonly shards: number;
  readonly segments: readonly ShardSegment[];
  /** What the caller has used and nobody has counted yet. */
  readonly used?: Readonly<Usages>;
}

export interface ShardSegment extends SegmentId {
  readonly source: string;
  readonly kind: ProducerKind;
  readonly arrival: number;
  readonly events: number;
  readonly before: number;
  /** True for the one shard of the operator that counts the segment's events as accepted. */
  readonly anchored: boolean;
  /** A sealed part of an envelope; null when the segment holds nothing for this shard. */
  readonly content: string | null;
  /** Of a replay: the latest event time in what its log had before it; −1 at its start. Absent where its arrival says what is late. */
  readonly front?: number;
  /** Only a part of what the segment holds, of a stage: more will come under its name. */
  readonly open?: boolean;
}

export interface ShardReply {
  /** The commit's log sequence number: reads from now on include it. */
  readonly lsn: number;
  readonly applied: number;
  readonly duplicates: number;
  /** Segments that were refused, since their bits had been given up: they must go to dead letters, not be acknowledged away. */
  readonly forgotten: readonly SegmentId[];
  /** Segments whose part for this shard could not be read: nothing of them was applied. */
  readonly unreadable: readonly SegmentId[];
  /** Nothing was applied, since what this shard emits or buffers is not taken off it fast enough: try again soon. */
  readonly busy?: boolean;
}

/** What becomes of the events of a source at one operator. accepted = applied + late + dead + in flight. */
export interface FlowCounters {
  applied: number;
  late: number;
  dead: number;
  duplicates: number;
}

export interface ShardStats {
  readonly shard: number;
  readonly lsn: number;
  readonly commits: number;
  readonly checkpointLsn: number;
  readonly logRows: number;
  readonly keys: number;
  readonly total: number;
  readonly overflow: number;
  readonly pages: number;
  readonly rowsWritten: number;
  readonly appliedBytes: number;
  readonly flows: Readonly<Record<string, FlowCounters>>;
  /** Events known to be accepted, per producer that is still remembered. */
  readonly producers: readonly ProducerCount[];
  /** Per source, the events accounted for here of the producers that are not. */
  readonly retired: Readonly<Record<string, number>>;
  /** Per operator that reads this one, the events that were emitted to it. */
  readonly emitted: Readonly<Record<string, number>>;
  readonly outbox: { readonly segments: number; readonly bytes: number; readonly oldest?: number };
  /** Whether it takes nothing in until what it emits, or buffers, has left. */
  readonly busy: boolean;
  /** What became of the events that a sink's shard was given: it holds them, has delivered them, or gave them up (rejected, erased). */
  readonly sink?: {
    readonly buffered: number;
    readonly bytes: number;
    readonly delivered: number;
    readonly discarded: number;
  };
  /** When the next timer is due, epoch milliseconds. */
  readonly nextTimer?: number;
  /** What the platform bills for, of this shard and of what was handed to it, as of its last commit. */
  readonly used?: Readonly<Usages>;
}

export interface ProducerCount {
  readonly producer: string;
  readonly kind: number;
  readonly source: string;
  readonly counted: number;
}

export interface ViewEntry {
  readonly key: string;
  readonly value: unknown;
}

/** An event, or a combined record, that could not be applied. */
export interface DeadLetter {
  readonly source: string;
  /** The operator that threw. */
  readonly operator: string;
  readonly error: string;
  /** When it was dead-lettered, epoch milliseconds. */
  readonly time: number;
  readonly n: number;
  /** True once it is being sent again: it no longer counts as dead. */
  readonly released?: boolean;
  /** What it was first sent again as: sent once more, by the code of another deploy, it must be the same. */
  readonly sent?: readonly OperatorPart[];
  readonly event?: DeadEvent["event"];
  /** Where user code failed behind the queue, there is no single event any more but the record of a key. */
  readonly record?: { readonly key: string; readonly partial: unknown };
  /** A timer whose hook threw. */
  readonly timer?: {
    readonly key: string;
    readonly name: string;
    readonly time: number;
    /** Absent for one in processing time. */
    readonly domain?: "event";
  };
}

/** What a shard is told when the watermark has moved on. */
export interface AdvanceCall {
  readonly v: number;
  readonly generation: number;
  readonly operator: string;
  readonly shard: number;
  readonly shards: number;
  /** Epoch milliseconds. */
  readonly watermark: number;
  /** Of a stage: by producer, how many segments it must have committed, or it stays where it is. */
  readonly required?: Readonly<Record<string, number>>;
}

export interface AdvanceReply {
  /**
   * Its output watermark: everything that it will ever emit with this time or an earlier one has been committed by whom
   * it was for. Less than it was told while something is on its way. Epoch milliseconds; −1 at the start.
   */
  readonly watermark: number;
  /** When its first timer in event time is due; absent when it has none. */
  readonly wanted?: number;
  /** By producer, how many segments it has emitted to stages, which confirm what they have queued and not yet committed. */
  readonly queued?: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** What a shard took out when it forgot a key. */
export interface Forgotten {
  /** 1 if the key had a value here. */
  readonly keys: number;
  readonly timers: number;
  readonly deadLetters: number;
  /** Dead letters of the key that somebody has begun to send again: redrive them, then forget once more. */
  readonly redriving: readonly number[];
}

/** What was on its way out of a shard at one time. */
export interface EraseMarks {
  /** By destination, the sequence that the next output would have got. */
  readonly channels: Readonly<Record<string, number>>;
  /** The last event in a sink's buffer. */
  readonly sink?: number;
}

/** What came of wiping a shard: either it is wiped, or something is to be waited for. */
export interface Wiped {
  /** Rows of the log that were emptied. */
  readonly rows: number;
  readonly marks?: EraseMarks;
  /** In words; names no key. */
  readonly waitingFor?: string;
}
