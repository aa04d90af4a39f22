/** TestRun: a job under test that has started: its runtime, and the steps that a TestDriver takes it through. */
import type { Rejection } from "../engine/source/reader.ts";
import { fingerprintOf } from "../hash.ts";
import type { Job } from "../job.ts";
import type { Sink } from "../sink.ts";
import { isExpected, RejectedRecordsError, StepFailedError } from "./step-errors.ts";
import { TestIngest } from "./test-ingest.ts";
import type { Tap, TestJob, WriteBatch } from "./test-job.ts";
import { testJobOf } from "./test-job.ts";
import type { OverheardOutput } from "./test-output.ts";
import type { Faults } from "./test-runtime.ts";
import { TestRuntime } from "./test-runtime.ts";

export interface TestRunOptions {
  readonly shards?: number;
  readonly env?: Readonly<Record<string, unknown>>;
  readonly sinks?: "write" | Readonly<Record<string, "write" | WriteBatch>>;
  readonly faults?: Faults;
  readonly runtime?: "workers" | "memory";
  readonly watermarks?: "explicit";
}

export class TestRun {
  readonly job: TestJob;
  readonly runtime: TestRuntime;
  readonly #ingest: TestIngest;
  readonly #outputs: readonly OverheardOutput[];
  readonly #aggregates: ReadonlySet<string>;
  readonly #faults: Faults;
  #busy = false;
  #replays = 0;
  #failuresSeen = 0;

  /** @param outputs what the taps lead to. @throws PlanError when the job's graph makes no sense. */
  constructor(
    job: Job,
    taps: readonly Tap[],
    outputs: readonly OverheardOutput[],
    start: number,
    options: TestRunOptions,
  ) {
    const { shards, env = {}, sinks = {}, faults = {}, runtime = "workers", watermarks } = options;
    this.job = testJobOf(job, taps, {
      shards,
      runtime,
      watermarks,
      writerOf: (sink) => writerOf(sink, sinks),
    });
    const { plan } = this.job;
    if (faults.duplicates === true) mustDedupe(this.job);
    this.runtime = new TestRuntime(plan, { start, env, faults });
    this.#ingest = new TestIngest(this.runtime);
    this.#outputs = outputs;
    this.#faults = faults;
    const aggregates = [...plan.operators.values()].filter(
      ({ kind }) => kind === "aggregate" || kind === "window",
    );
    this.#aggregates = new Set(aggregates.map(({ name }) => name));
  }

  /**
   * Everything that changes something is a step, one at a time.
   *
   * @throws StepFailedError when the engine could not go on with something, else what `work` throws.
   */
  async step(work: () => Promise<void>): Promise<void> {
    if (this.#busy) throw new Error("the last call is still under way: await it first");
    this.#busy = true;
    const thrown = await work().then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    this.#busy = false;
    if (this.#faults.restarts === true) this.runtime.restart();
    const failures = this.runtime.failures.slice(this.#failuresSeen).filter((one) => !isExpected(one));
    this.#failuresSeen = this.runtime.failures.length;
    // What failed behind the queue says more than that a record was rejected.
    if (failures.length > 0) throw new StepFailedError(failures);
    if (thrown !== undefined) throw thrown.error;
  }

  /** Does all that can be done at this time. */
  async settle(): Promise<void> {
    await this.runtime.settle();
    this.#endStep();
  }

  async advanceTo(time: number): Promise<void> {
    await this.runtime.advanceTo(time, () => this.#endStep());
  }

  /** Sends requests and settles, after each unless they are to be shuffled. @throws RejectedRecordsError */
  async send(source: string, requests: readonly (readonly unknown[])[]): Promise<void> {
    await this.#sendAll(source, requests, (records) => this.#ingest.request(source, records));
  }

  /** Sends requests as those of one replay, which ends with the last. @throws as `send`, and RangeError when it is refused. */
  async replay(source: string, requests: readonly (readonly unknown[])[]): Promise<void> {
    const producer = replayProducer(source, this.#replays++);
    let sequence = 0;
    await this.#sendAll(source, requests, (records) => {
      const end = sequence === requests.length - 1;
      return this.#ingest.replayed(source, records, producer, { sequence: sequence++, end });
    });
  }

  async #sendAll(
    source: string,
    requests: readonly (readonly unknown[])[],
    take: (records: readonly unknown[]) => Promise<readonly Rejection[]>,
  ): Promise<void> {
    const rejected: Rejection[] = [];
    let sent = 0;
    for (const records of requests) {
      for (const { index, error } of await take(records)) {
        rejected.push({ index: sent + index, error });
      }
      sent += records.length;
      if (this.#faults.shuffle === undefined) await this.settle();
    }
    await this.settle();
    if (rejected.length > 0) throw new RejectedRecordsError(source, sent, rejected);
  }

  /** States a watermark, for one source or for all, and settles. @throws RangeError when there is no such source. */
  async watermark(time: number, only?: string): Promise<void> {
    const { plan, shards } = this.runtime;
    if (only !== undefined && !plan.sources.has(only))
      throw new RangeError(`the job has no source "${only}"`);
    for (const { name, job } of plan.sources.values()) {
      if (only === undefined || only === name) shards.watermarks.of(job)?.state(name, time);
    }
    await this.settle();
  }

  #endStep(): void {
    for (const output of this.#outputs) output.endStep(this.#aggregates);
  }
}

/** 128 bits that are the same in each run. */
function replayProducer(source: string, number: number): string {
  return fingerprintOf(`replay ${number} of ${source}`) + fingerprintOf(`${source} replayed ${number}`);
}

/** What takes the place of a sink's own `write`: nothing, unless somebody asks for more. */
function writerOf(
  { name }: Sink<unknown>,
  sinks: "write" | Readonly<Record<string, "write" | WriteBatch>>,
): WriteBatch | undefined {
  const how = sinks === "write" ? sinks : (sinks[name] ?? (() => undefined));
  return how === "write" ? undefined : how;
}

/** @throws RangeError when what comes twice would count twice. */
function mustDedupe({ plan }: TestJob): void {
  const targets = [...plan.sources.values()].flatMap((source) => source.targets);
  const local = targets.find(({ kind }) => kind === "local");
  if (local === undefined) return;
  throw new RangeError(`faults: "${local.name}" keeps a map of its own, in which duplicates count twice`);
}
