/** Scratch: what a processor works on during one commit. Nothing of the shard changes until the commit is written. */
import type { Event } from "../../event.ts";
import type { StateEntry } from "../../state/keyed-state.ts";
import type { ShardContent } from "../segment.ts";
import type { ShardCounters } from "./counters.ts";
import type { IndexedTimer } from "./processors/timer-index.ts";
import type { DeadLetter, ShardSegment } from "./protocol.ts";

export interface Scratch {
  /** When the commit began, epoch milliseconds. */
  readonly now: number;
  readonly lsn: number;
  readonly shard: number;
  readonly counters: ShardCounters;
  /** The value of a key as of this commit; only of keys that the processor has named. */
  get(key: string): unknown;
  /** The value before this commit. */
  before(key: string): unknown;
  /** Sets the value of a key; null takes the key away. */
  put(key: string, value: unknown): void;
  /** The value of keys in order, as of before this commit, that start with `prefix` and come after `after`. */
  range(range: { prefix: string; after?: string }): Iterable<StateEntry>;
  /** @param timer a key of the timer index. @param cursor how far firing it has come; see Processor.fire. */
  setTimer(timer: string, cursor?: unknown): void;
  deleteTimer(timer: string): void;
  /** An id for something that is emitted, from where and when. */
  outputId(): string;
  /** @param output a side output; undefined for the main one. @throws OperatorFailedError by policy. */
  emit(output: string | undefined, event: Event<unknown>): void;
  bury(letter: Omit<DeadLetter, "time">): void;
}

/** One record of a segment. */
export interface InputRecord {
  readonly segment: ShardSegment;
  readonly key: string;
  /** A partial accumulator, or a packed event. */
  readonly partial: unknown;
  /** How many events are accounted for by this record. */
  readonly n: number;
  /** The latest event time in it, where it is known. */
  readonly time: number | undefined;
}

/** A segment to be applied, and what it holds for this shard. */
export interface Fresh {
  readonly segment: ShardSegment;
  readonly content: ShardContent;
}

/** What became of a record; `skipped` when it had been applied before. */
export type Applied = "applied" | "late" | "buried" | "skipped";

/** How one kind of operator applies what comes to its shards. One instance a shard. */
export interface Processor {
  /** The keys that applying these segments may read. */
  keysOf(fresh: readonly Fresh[]): readonly string[];
  /** Applies one record: whole, or not at all when it throws. */
  apply(record: InputRecord, scratch: Scratch): Applied;
  /** What a dead letter keeps of a record that could not be applied, to try it again. */
  remains(record: InputRecord): Pick<DeadLetter, "event" | "record">;
  /**
   * A timer is due. It is gone when this returns, unless it was set again.
   *
   * @param cursor what it was set with: how far an earlier commit has come.
   * @returns `more` when it was set again with a cursor, to go on in the next commit.
   */
  fire?(timer: IndexedTimer, scratch: Scratch, cursor: unknown): "done" | "more";
  /** Whether it may read keys that it has not named. */
  readonly looksUp?: boolean;
  /** Whether an earlier part of this segment was applied, in another commit: its events are counted with the first. */
  begun?(segment: ShardSegment, scratch: Scratch): boolean;
  /** All records of a segment have been applied. */
  endSegment?(segment: ShardSegment, scratch: Scratch): void;
  /** All segments of the commit have been applied. */
  finish?(scratch: Scratch): void;
  /** What a view shows for a stored value. */
  result(value: unknown): unknown;
  /** See Aggregator. */
  readonly growing: boolean;
}
