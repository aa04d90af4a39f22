/** Run: sends a benchmark's events through its job, in memory, on the engine of production. */
import type { Faults } from "../../src/testing/index.ts";
import { TestDriver } from "../../src/testing/index.ts";
import type { Benchmark, Output, TimedRecord } from "./benchmark.ts";

export interface RunOptions {
  readonly events: number;
  readonly seed?: number;
  /** Events of a request. */
  readonly perRequest: number;
  /** Of each stateful operator; as many as the job says by default. */
  readonly shards?: number;
  /** What may go wrong on the way. */
  readonly faults?: Faults;
}

export interface RunResult {
  /** What came out, as the recount writes it. */
  readonly results: readonly string[];
  /** Undefined where late events are only counted. */
  readonly late: readonly string[] | undefined;
  /** Counted by all operators. */
  readonly lateCount: number;
  readonly deadLetters: number;
  /** That the engine was at work, without the generator. */
  readonly seconds: number;
}

/**
 * The watermark is stated after each request: the latest time so far, minus the bound, minus 1 ms. So what is late follows
 * from the events alone, and each run gives the same.
 */
export async function run(benchmark: Benchmark, options: RunOptions): Promise<RunResult> {
  const { events, seed = 1, perRequest, shards, faults = {} } = options;
  const { job, source, bound } = benchmark;
  const sharded = shards === undefined ? {} : { shards };
  const driver = new TestDriver(job, { watermarks: "explicit", faults, ...sharded });
  const results = readerOf(driver, benchmark.results);
  const late = benchmark.late && readerOf(driver, benchmark.late);
  let [milliseconds, latest] = [0, 0];
  for (const batch of batchesOf(benchmark.events(events, seed), perRequest)) {
    const records = batch.map(({ record }) => record);
    latest = batch.reduce((most, { time }) => Math.max(most, time), latest);
    const began = performance.now();
    await driver.sendBatch(source, records);
    await driver.watermark(latest - bound - 1);
    milliseconds += performance.now() - began;
    results.take();
    late?.take();
  }
  const began = performance.now();
  await driver.watermark("end");
  milliseconds += performance.now() - began;
  results.take();
  late?.take();
  return {
    results: results.lines,
    late: late?.lines,
    lateCount: lateCountOf(driver, benchmark),
    deadLetters: driver.deadLetters().length,
    seconds: milliseconds / 1_000,
  };
}

function readerOf(driver: TestDriver, { stream, lines: linesOf }: Output) {
  const output = driver.output(stream);
  const lines: string[] = [];
  const take = () => {
    for (const { data, time } of output.read()) lines.push(...linesOf(data, time));
  };
  return { lines, take };
}

function lateCountOf(driver: TestDriver, { job }: Benchmark): number {
  const stateful = job.nodes.filter(({ kind }) => kind === "aggregate" || kind === "process");
  const flows = stateful.flatMap(({ name }) => Object.values(driver.stats(name).flows));
  return flows.reduce((sum, { late }) => sum + late, 0);
}

function* batchesOf(records: Iterable<TimedRecord>, size: number): Generator<TimedRecord[]> {
  let batch: TimedRecord[] = [];
  for (const record of records) {
    batch.push(record);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
