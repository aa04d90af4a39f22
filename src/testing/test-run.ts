/** TestRun: a job under test that has started: its runtime, and the steps that a TestDriver takes it through. */
import type { Rejection } from "../engine/source/reader.ts";
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
}

export class TestRun {
  readonly job: TestJob;
  readonly runtime: TestRuntime;
  readonly #ingest: TestIngest;
  readonly #outputs: readonly OverheardOutput[];
  readonly #aggregates: ReadonlySet<string>;
  readonly #faults: Faults;
  #busy = false;
  #failuresSeen = 0;

  /** @param outputs what the taps lead to. @throws PlanError when the job's graph makes no sense. */
  constructor(
    job: Job,
    taps: readonly Tap[],
    outputs: readonly OverheardOutput[],
    start: number,
    options: TestRunOptions,
  ) {
    const { shards, env = {}, sinks = {}, faults = {}, runtime = "workers" } = options;
    this.job = testJobOf(job, taps, { shards, runtime, writerOf: (sink) => writerOf(sink, sinks) });
    const { plan } = this.job;
    if (faults.duplicates === true) mustDedupe(this.job);
    this.runtime = new TestRuntime(plan, { start, env, faults });
    this.#ingest = new TestIngest(this.runtime);
    this.#outputs = outputs;
    this.#faults = faults;
    const aggregates = [...plan.operators.values()].filter(({ kind }) => kind === "aggregate");
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
    const rejected: Rejection[] = [];
    let sent = 0;
    for (const records of requests) {
      for (const { index, error } of await this.#ingest.request(source, records)) {
        rejected.push({ index: sent + index, error });
      }
      sent += records.length;
      if (this.#faults.shuffle === undefined) await this.settle();
    }
    await this.settle();
    if (rejected.length > 0) throw new RejectedRecordsError(source, sent, rejected);
  }

  #endStep(): void {
    for (const output of this.#outputs) output.endStep(this.#aggregates);
  }
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
