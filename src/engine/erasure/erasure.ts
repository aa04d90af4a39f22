/**
 * Erasure: a key of a view is forgotten wherever its job has left it: a user's right to be forgotten.
 *
 * What is done, in this order, each step noted when it is done and done again if it was cut off:
 * 1. The view forgets the key: its value, timers and dead letters. Keyed file sinks of the job forget dead letters of it.
 * 2. All shards of the job, upstream ones first, hand over what they hold on its way, and wipe their logs. The view
 *    forgets the key again, since some of that may have been for it.
 * 3. Events of the key are taken out of the files of the job's keyed file sinks.
 *
 * So the key is taken to mean the same wherever the job is keyed by it. What arrives while this runs may be erased with
 * the rest or not; what waits in queues is counted anew when it arrives: erase again if that must not be. What other
 * keys hold that was computed from this one (a sum over all, a distinct, what another view was told) stays as it is, as do
 * buried messages, and what webhooks and other queues have been sent. The key is kept only while this runs.
 */
import type { EraseMarks, Forgotten, Wiped } from "../shard/protocol.ts";

export interface Erasure {
  readonly id: string;
  readonly view: string;
  readonly status: "running" | "done" | "failed";
  /** Epoch milliseconds, as all times here. */
  readonly requested: number;
  readonly finished?: number;
  /** At least so many: what a step found that was cut off before it was noted is not counted. */
  readonly state: { readonly keys: number; readonly timers: number };
  readonly deadLetters: number;
  /** Shards whose log was wiped, and how many rows of it held anything. */
  readonly log: { readonly shards: number; readonly rows: number };
  readonly sinks: readonly ErasedFiles[];
  /** What it waits for. */
  readonly waitingFor?: string;
  /** Why it failed, or what went wrong the last time: it is tried again. */
  readonly error?: string;
  /** All that is needed to go on, gone when it is finished. */
  readonly work?: ErasureWork;
}

/** What everybody may know of an erasure: all but its key. */
export type ErasureReport = Omit<Erasure, "work">;

export interface ErasedFiles {
  readonly sink: string;
  /** Without a key in its events nothing can be found in its files. */
  readonly keyed: boolean;
  /** Files looked at, rewritten, and the events that were taken out of them. */
  readonly objects: number;
  readonly rewritten: number;
  readonly events: number;
}

export interface ErasureWork {
  readonly key: string;
  /** Steps that are done. */
  readonly done: readonly string[];
  /** What shards wait for, by step. */
  readonly marks: Readonly<Record<string, EraseMarks>>;
  /** Where to go on in a sink's files. */
  readonly cursor?: string;
  /** Runs that failed or had to wait, since the last one that did not. */
  readonly failures: number;
  /** Not before this time. */
  readonly next: number;
}

export interface ErasurePorts {
  forget(operator: string, shard: number, key: string, released: boolean): Promise<Forgotten>;
  wipe(operator: string, shard: number, marks: EraseMarks | undefined): Promise<Wiped>;
  redrive(operator: string, shard: number, numbers: readonly number[]): Promise<number>;
  /** Where sinks find their buckets. */
  readonly env: Readonly<Record<string, unknown>>;
  /** Makes durable how far it has come. */
  save(erasure: Erasure): Promise<void> | void;
}

/** What was asked for, and nothing done of it. @param id unique. @param now epoch milliseconds. */
export function newErasure(id: string, view: string, key: string, now: number): Erasure {
  return {
    id,
    view,
    status: "running",
    requested: now,
    state: { keys: 0, timers: 0 },
    deadLetters: 0,
    log: { shards: 0, rows: 0 },
    sinks: [],
    work: { key, done: [], marks: {}, failures: 0, next: now },
  };
}

export function reportOf({ work: _, ...report }: Erasure): ErasureReport {
  return report;
}
