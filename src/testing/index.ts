/** The door for unit tests of jobs. Not part of `src/index.ts`, so that no Worker carries it. */
export type { MemoryView } from "../engine/job-starter.ts";
export type { DeadLetter, FlowCounters, ViewEntry } from "../engine/shard/protocol.ts";
export type { Rejection } from "../engine/source/reader.ts";
export type { TestLetter } from "./letters.ts";
export type { TestBacklog, TestStats } from "./stats.ts";
export { RejectedRecordsError, StepFailedError } from "./step-errors.ts";
export type { TestDriverOptions, TestSink } from "./test-driver.ts";
export { TestDriver } from "./test-driver.ts";
export type { WriteBatch } from "./test-job.ts";
export type { OutputRow, TestOutput } from "./test-output.ts";
export type { Faults, TestFailure } from "./test-runtime.ts";
