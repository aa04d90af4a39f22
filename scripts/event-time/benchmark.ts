/** Benchmark: a job, events for it, and what they have to lead to. */
import type { Job, Stream } from "../../src/index.ts";
import type { Recount } from "./recount.ts";

/** A record as a client sends it, and its event time. */
export interface TimedRecord {
  readonly time: number;
  readonly record: unknown;
}

export interface Output {
  readonly stream: Stream<unknown>;
  /** An event of it as the recount writes it: a line of text each, or several. */
  readonly lines: (data: unknown, time: number) => string[];
}

export interface Benchmark {
  /** What `--job` calls it. */
  readonly name: string;
  readonly job: Job;
  readonly source: string;
  readonly results: Output;
  /** Where late events are read and compared; undefined where they are only counted. */
  readonly late?: Output;
  /** How far events may be behind, milliseconds: the watermark stays back by that. */
  readonly bound: number;
  readonly events: (count: number, seed: number) => Iterable<TimedRecord>;
  readonly recount: (count: number, seed: number, perRequest: number) => Recount;
}
