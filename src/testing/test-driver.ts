/** TestDriver: runs a job for a unit test: fed by hand, on a clock that the test moves, the same each time. */

import { MAX_TIME } from "../clock.ts";
import { millisecondsOf, parseTime } from "../duration.ts";
import { MemoryView } from "../engine/job-starter.ts";
import type { GraphNode } from "../graph.ts";
import type { Job } from "../job.ts";
import type { SinkBatch } from "../sink.ts";
import type { KeyedStream, Stream } from "../stream.ts";
import type { TestLetter } from "./letters.ts";
import { lettersOf, redriveLetters } from "./letters.ts";
import type { TestBacklog, TestStats } from "./stats.ts";
import { backlogOf, statsOf } from "./stats.ts";
import type { Tap, WriteBatch } from "./test-job.ts";
import type { TestOutput } from "./test-output.ts";
import { OverheardOutput } from "./test-output.ts";
import { TestRun } from "./test-run.ts";
import type { Faults, TestFailure } from "./test-runtime.ts";

export interface TestDriverOptions {
  /** Shards of each aggregate, process function and stage; as many as the job says by default. Sinks keep theirs. */
  readonly shards?: number;
  /** Where the clock starts: ISO 8601 with an offset, or epoch milliseconds. 2026-01-01T00:00:00Z by default. */
  readonly start?: string | number;
  /** What sinks and pull sources find in their context; empty by default. */
  readonly env?: Readonly<Record<string, unknown>>;
  /**
   * Sinks write nothing, since tests have no buckets: their batches are only kept, for `sink(name)` to read. `"write"`
   * lets all of them, or those of these names, write for real; a function writes in a sink's place, and what it throws is
   * what the sink throws.
   */
  readonly sinks?: "write" | Readonly<Record<string, "write" | WriteBatch>>;
  /** What may go wrong on the way. A job that is right gives the same results. */
  readonly faults?: Faults;
  /**
   * `explicit`: the watermark of each source over HTTP is only what `watermark` says, whatever the source's own options
   * are, and events of any time are taken. By default it follows the test's clock, as in production.
   */
  readonly watermarks?: "explicit";
  /** `memory` allows operators that keep a map of their own, as JobStarter does; `workers` is the default. */
  readonly runtime?: "workers" | "memory";
}

/** The batches that a sink has written, in order. */
export interface TestSink<T> {
  /** Those since the last read. */
  read(): SinkBatch<T>[];
  /** All. */
  readonly batches: readonly SinkBatch<T>[];
}

const START = Date.UTC(2026, 0, 1);

/**
 * ```ts
 * const driver = new TestDriver(job);
 * const alerts = driver.output(alertStream);
 * await driver.send("clicks", "/home", { url: "/about" });
 * await driver.advance("1 minute");
 * expect(alerts.read()).toEqual([{ time: driver.now, data: "/home is quiet" }]);
 * expect(driver.view("page-views").get("/home")).toBe(1);
 * ```
 *
 * Guarantees: it is the engine of production, over queues and stores in memory. When `send` or `advance` resolves,
 * everything that can happen at the current virtual time has happened. The same calls give the same results, ids and
 * order; views and outputs are the same for any number of shards. The job is left as it is, so drivers may share it. One
 * call at a time: await each.
 */
export class TestDriver {
  readonly #job: Job;
  readonly #options: TestDriverOptions;
  readonly #start: number;
  readonly #taps: Tap[] = [];
  readonly #outputs: OverheardOutput[] = [];
  #started: TestRun | undefined;

  /** @throws RangeError when the start is no time. */
  constructor(job: Job, options: TestDriverOptions = {}) {
    this.#job = job;
    this.#options = options;
    const start = parseTime(options.start ?? START);
    if (start === undefined) {
      throw new RangeError(`start: use ISO 8601 with an offset, or epoch milliseconds, not ${options.start}`);
    }
    this.#start = start;
  }

  /** Virtual time, epoch milliseconds. */
  get now(): number {
    return this.#started?.runtime.clock.now() ?? this.#start;
  }

  /**
   * Reads what a stream carries: a stream of the job, or what comes out of the operator or source of a name (of its side
   * output `side`, if given). Ask before the first `send`.
   *
   * @throws RangeError when the job has no such stream, or it is too late.
   */
  output<T>(stream: Stream<T> | KeyedStream<T>): TestOutput<T>;
  output<T = unknown>(name: string, side?: string): TestOutput<T>;
  output<T>(stream: Stream<T> | KeyedStream<T> | string, side?: string): TestOutput<T> {
    if (this.#started !== undefined) throw new RangeError("ask for outputs before anything else is done");
    const output = new OverheardOutput();
    this.#outputs.push(output);
    this.#taps.push({ node: this.#nodeOf(stream), side, hear: output.hear });
    return output as TestOutput<T>;
  }

  /**
   * Sends records as they come over HTTP, a line of text or a JSON value each; each is a request of its own and is done
   * before the next is sent. Resolves when what they lead to at this time has happened.
   *
   * @throws RejectedRecordsError when the source, or an operator in front of the queue in a job whose policy is `fail`, did
   * not take some; the others were.
   * @throws StepFailedError when an operator threw behind the queue in a job whose policy is `fail`.
   */
  async send(source: string, ...records: readonly unknown[]): Promise<void> {
    const requests = records.map((record) => [record]);
    await this.#run.step(() => this.#run.send(source, requests));
  }

  /**
   * Sends records as one request, which is one segment: aggregates combine what they can before their state sees it.
   *
   * @throws as `send`, and TooLargeError when they do not fit one request.
   */
  async sendBatch(source: string, records: readonly unknown[]): Promise<void> {
    await this.#run.step(() => this.#run.send(source, [records]));
  }

  /**
   * Sends the records of a log as a replay, each a request of its own, the last with the end marker: what is late follows
   * from the event times in the log, not from the clock.
   *
   * @throws as `send`, and RangeError when event time has come further than the log's start.
   */
  async replay(source: string, ...records: readonly unknown[]): Promise<void> {
    const requests = records.map((record) => [record]);
    await this.#run.step(() => this.#run.replay(source, requests));
  }

  /**
   * Moves the clock, by milliseconds or words like "1 minute". Timers, pull sources, batches and retries that fall due
   * on the way happen at their times, in order.
   *
   * @throws StepFailedError as `send`.
   */
  async advance(span: number | string): Promise<void> {
    const time = this.now + millisecondsOf(span);
    await this.#run.step(() => this.#run.advanceTo(time));
  }

  /** Moves the clock to a time: epoch milliseconds, or ISO 8601 with an offset. @throws RangeError when it has passed. */
  async advanceTo(time: number | string): Promise<void> {
    const to = parseTime(time);
    if (to === undefined || to < this.now)
      throw new RangeError(`advanceTo: ${time} is no time that is to come`);
    await this.advance(to - this.now);
  }

  /**
   * States a watermark: no event with this time or an earlier one will come any more, from one source or, by default,
   * from any. What that fires has happened when it resolves. It never goes back.
   *
   * @param time epoch milliseconds, or ISO 8601 with an offset; "end" for the end of the stream, which fires everything.
   * @throws RangeError when it is no time, the driver was not made with `watermarks: "explicit"`, or there is no such
   * source.
   */
  async watermark(time: number | string, source?: string): Promise<void> {
    if (this.#options.watermarks !== "explicit") {
      throw new RangeError(
        'watermark: make the driver with { watermarks: "explicit" }; without it the watermark follows the clock, which `advance` moves',
      );
    }
    const to = time === "end" ? MAX_TIME : parseTime(time);
    if (to === undefined || to < 0)
      throw new RangeError(`watermark: ${time} is no time; use epoch milliseconds, ISO 8601 or "end"`);
    await this.#run.step(() => this.#run.watermark(to, source));
  }

  /** All shards are thrown away and wake anew from their stores, as after a deploy or a crash; queues keep what they hold. */
  async restart(): Promise<void> {
    await this.#run.step(async () => this.#run.runtime.restart());
  }

  /** A view of the job. @throws PlanError when there is none of that name. */
  view(name: string): MemoryView {
    return new MemoryView(this.#run.runtime.shards, name);
  }

  /** What a sink of the job has written. @throws RangeError when there is none of that name. */
  sink<T = unknown>(name: string): TestSink<T> {
    const batches = this.#run.job.batches.get(name) as SinkBatch<T>[] | undefined;
    if (batches === undefined) throw new RangeError(`the job has no sink "${name}"`);
    let read = 0;
    return {
      batches,
      read() {
        const fresh = batches.slice(read);
        read = batches.length;
        return fresh;
      },
    };
  }

  /** The events that could not be applied, by time. An event on its way to several operators has a letter for each. */
  deadLetters(): TestLetter[] {
    const { runtime, job } = this.#run;
    return lettersOf(runtime, job.taps);
  }

  /** Sends dead letters again, all by default, but for those of operators that keep a map of their own. @returns how many. */
  async redrive(which: (letter: TestLetter) => boolean = () => true): Promise<number> {
    const { runtime } = this.#run;
    const { operators } = runtime.plan;
    const redriven = this.deadLetters().filter((letter) => operators.has(letter.at) && which(letter)).length;
    await this.#run.step(async () => {
      await redriveLetters(runtime, which);
      await this.#run.settle();
    });
    return redriven;
  }

  /** What has been applied by an operator, by source. @throws PlanError when there is none of that name. */
  stats(operator: string): TestStats {
    return statsOf(this.#run.runtime, operator);
  }

  /** What waits where. All is 0 when nothing does. */
  backlog(): TestBacklog {
    const { runtime, job } = this.#run;
    return backlogOf(runtime, job.taps);
  }

  /** Everything that failed and was tried again: writes of sinks and calls of pull sources among them, which nobody throws. */
  get failures(): readonly TestFailure[] {
    return this.#started?.runtime.failures ?? [];
  }

  /** The first call that needs it starts the job. */
  get #run(): TestRun {
    this.#started ??= new TestRun(this.#job, this.#taps, this.#outputs, this.#start, this.#options);
    return this.#started;
  }

  #nodeOf(stream: Stream<unknown> | KeyedStream<unknown> | string): GraphNode {
    if (typeof stream !== "string" && stream.origin.graph !== this.#job) {
      throw new RangeError("output: the stream belongs to another job");
    }
    const name = typeof stream === "string" ? stream : stream.origin.node.name;
    const node = this.#job.nodes.find((one) => one.name === name);
    if (node !== undefined && node.kind !== "sink") return node;
    const names = this.#job.nodes.filter(({ kind }) => kind !== "sink").map((one) => one.name);
    throw new RangeError(`the job has no stream "${name}"; there are: ${names.join(", ")}`);
  }
}
