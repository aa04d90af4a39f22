/** What goes to the coordinator of a job's watermarks, and comes from it. Plain data with a version: both ends may differ by a deploy. */
import type { Usage } from "../usage.ts";

export const WATERMARK_VERSION = 1;

/** An ingest isolate is about to send segments under this hold; from `until` on it takes another one. */
export interface OpenedHold {
  readonly source: string;
  /** 128 random bits, hex. */
  readonly hold: string;
  /** No segment under it has an earlier arrival. Epoch milliseconds. */
  readonly start: number;
  readonly until: number;
}

/** Nothing more will be sent under a hold. */
export interface ClosedHold {
  readonly source: string;
  readonly hold: string;
  /** Segments that were sent under it, numbered from 0. */
  readonly sent: number;
  /** Numbers of those that the queue has not taken. */
  readonly lost: readonly number[];
  /** Numbers of those of which nobody knows; their senders were told so. They are waited for a fixed time. */
  readonly unsure: readonly number[];
}

/** What an ingest isolate has to say, in one call. */
export interface HoldReport {
  readonly v: number;
  readonly opened: readonly OpenedHold[];
  readonly closed: readonly ClosedHold[];
}

/** A segment that all shards have committed, or that will never be. */
export interface CommittedSegment {
  readonly source: string;
  readonly hold: string;
  readonly n: number;
  readonly arrival: number;
  /** See SegmentTime. */
  readonly watermark?: number;
  /** Stages that have been handed a part of it and will report for themselves. */
  readonly stages?: readonly string[];
  /** The stage that reports. */
  readonly stage?: string;
}

export interface CommitReport {
  readonly v: number;
  readonly segments: readonly CommittedSegment[];
}

/** A request of a replay asks to be let in. */
export interface Admission {
  readonly v: number;
  readonly source: string;
  readonly producer: string;
  readonly sequence: number;
  /** Event times in it, epoch milliseconds. */
  readonly earliest: number;
  readonly latest: number;
  /** It is the last one. */
  readonly end: boolean;
}

/** `front`: see SegmentTime. `wait`: an earlier request of the replay has not come yet. */
export type Admitted = { readonly front: number } | { readonly wait: number } | { readonly refused: string };

/** A shard has a timer in event time that is earlier than what it said before. */
export interface Want {
  readonly v: number;
  readonly operator: string;
  readonly shard: number;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** What `/v1/health` shows. Times in epoch milliseconds. */
export interface WatermarkStatus {
  readonly sources: Readonly<Record<string, SourceStatus>>;
  readonly operators: Readonly<Record<string, OperatorStatus>>;
  /** What the platform bills for the coordinator, as of its last change; absent where nobody counts it. */
  readonly used?: Readonly<Usage>;
}

export interface SourceStatus {
  readonly watermark: number;
  /** The smallest arrival time that may still be missing; the clock when nothing is. */
  readonly frontier: number;
  /** Holds that are not complete: requests under way, and segments in the queue. */
  readonly holds: number;
  readonly replays: number;
}

export interface OperatorStatus {
  /** Of what comes to it; −1 before anything is known. */
  readonly watermark: number;
  /** The earliest timer in event time that waits, where there is one. */
  readonly wanted?: number;
}
