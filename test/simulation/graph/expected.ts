/** Expected: what the recount takes and what it gives. It imports nothing from the engine. */
import type { Datum } from "./semantics.ts";
import type { EventTimeSpec, Version } from "./spec.ts";

/** An event that a source has accepted, and the version that routed it. */
export interface Accepted {
  readonly source: string;
  readonly datum: Datum;
  readonly version: Version;
  /** Of all copies that have arrived: any shard may have taken any. Of HTTP sources; epoch milliseconds. */
  readonly arrivals?: readonly number[];
}

/** What came to an operator in event time. */
export interface TimedRow {
  readonly id: string;
  readonly key: string;
  readonly time: number;
  /** What its source, or the operator in front, has given off; of several copies of that only one is counted. */
  readonly from: string;
  /**
   * What event time had come to for it: at least `low`, at most `high`. They differ where several copies of a request are
   * under way, and where operators in front decide when it goes on. Epoch milliseconds.
   */
  readonly low: number;
  readonly high: number;
}

export interface TimedContent {
  readonly kind: "timed";
  readonly node: EventTimeSpec;
  readonly rows: readonly TimedRow[];
  /** Of a join: the right side. */
  readonly others: readonly TimedRow[];
  /** The windows that it reads; what came from those is known from their views. */
  readonly upstream: string | undefined;
  /** Whether time alone ends all its windows. */
  readonly closes: boolean;
}

/** What an operator must hold at the end. */
export type Content =
  /** Aggregates, and process functions of whose state a number is left, by key. */
  | { readonly kind: "numbers"; readonly byKey: ReadonlyMap<string, number> }
  | { readonly kind: "sets"; readonly byKey: ReadonlyMap<string, ReadonlySet<string>> }
  /** What a sink has written of items: how often each id. */
  | { readonly kind: "ids"; readonly counts: ReadonlyMap<string, number> }
  /** … and of weights: their sum per key. */
  | { readonly kind: "sums"; readonly byKey: ReadonlyMap<string, number> }
  /** A table: per key, the latest event time of all rows that came with one. */
  | { readonly kind: "latest"; readonly byKey: ReadonlyMap<string, number> }
  | TimedContent
  | { readonly kind: "nothing" };

export interface Expected {
  readonly contents: ReadonlyMap<string, Content>;
  /** Per operator that they are bound for, `{what threw} {id}` of the items that fail for good. */
  readonly letters: ReadonlyMap<string, readonly string[]>;
  /** How often each item passes a stage: as many runs may be seen of it. */
  readonly stageRuns: ReadonlyMap<string, number>;
}
