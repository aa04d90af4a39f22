/** TestIngest: what takes requests in for a TestDriver: reads their records and puts them into their source's queue. */
import { Producer } from "../engine/producer.ts";
import { ProducerKind } from "../engine/segment.ts";
import type { Rejection } from "../engine/source/reader.ts";
import { SourceExecutor } from "../engine/source-executor.ts";
import type { Reporter } from "../engine/watermark/holds.ts";
import { Holds, timeOf } from "../engine/watermark/holds.ts";
import { WATERMARK_VERSION } from "../engine/watermark/protocol.ts";
import { fingerprintOf } from "../hash.ts";
import type { SourcePlan } from "../plan.ts";
import type { TestRuntime } from "./test-runtime.ts";

/** Where in a replay a request is. */
export interface ReplayPlace {
  readonly sequence: number;
  /** It is the last one. */
  readonly end: boolean;
}

export class TestIngest {
  readonly #runtime: TestRuntime;
  readonly #executors = new Map<string, SourceExecutor>();
  readonly #producers = new Map<string, Producer>();
  readonly #holds = new Map<string, Holds>();

  constructor(runtime: TestRuntime) {
    this.#runtime = runtime;
  }

  /**
   * Takes one request. @returns the records that were not valid.
   *
   * @throws RangeError when there is no such source, TooLargeError when the request is too large.
   */
  async request(source: string, records: readonly unknown[]): Promise<readonly Rejection[]> {
    const executor = this.#executorOf(source);
    const producer = this.#producerOf(source);
    const holds = this.#holdsOf(executor.source);
    const arrival = this.#runtime.clock.now();
    const report: Reporter = (said) => this.#runtime.shards.watermarks.of(executor.source.job)?.holds(said);
    const held = holds?.enter(arrival, report);
    const { producer: id, sequence } = producer.next;
    // Ids sort as events were sent: what goes by time and, at the same time, by id is then as a test expects.
    const idBase = `${source}.${String(sequence).padStart(8, "0")}`;
    const reading = executor.read({ values: records }, idBase, arrival);
    if (reading.accepted === 0 && reading.watermark === undefined) {
      held?.leave();
      return reading.rejected;
    }
    const before = producer.counted;
    const identity = {
      ...{ producer: id, sequence, kind: ProducerKind.isolate, arrival, before, single: false },
      ...timeOf(held, reading.watermark),
    };
    const queue = this.#runtime.queue(executor.source.queue);
    const { messages, segments } = executor.pack(reading, identity, queue.limits);
    producer.advance(segments.length, reading.accepted);
    held?.take(segments.length);
    await queue.send(messages);
    held?.leave();
    holds?.close(arrival, report);
    return reading.rejected;
  }

  /**
   * Takes one request of a replay, of which the requests before it must have been taken. @returns the records that were
   * not valid.
   *
   * @throws RangeError when there is no such source, or it does not take a replay; TooLargeError as `request` does.
   */
  async replayed(
    source: string,
    records: readonly unknown[],
    producer: string,
    place: ReplayPlace,
  ): Promise<readonly Rejection[]> {
    const executor = this.#executorOf(source);
    const { clock, shards } = this.#runtime;
    const { sequence } = place;
    const arrival = clock.now();
    const idBase = `${producer}.${String(sequence).padStart(8, "0")}`;
    const reading = executor.read({ values: records }, idBase, arrival);
    const { earliest, latest } = reading;
    const admission = { v: WATERMARK_VERSION, source, producer, sequence, earliest, latest, end: place.end };
    const admitted = shards.watermarks.of(executor.source.job)?.admit(admission);
    if (admitted !== undefined && !("front" in admitted))
      throw new RangeError(`replay: ${"refused" in admitted ? admitted.refused : "requests come in order"}`);
    const identity = { producer, sequence, kind: ProducerKind.client, arrival, before: 0, single: true };
    const time = admitted && { hold: producer, n: sequence, front: admitted.front };
    const queue = this.#runtime.queue(executor.source.queue);
    const timed = time === undefined ? identity : { ...identity, time };
    await queue.send(executor.pack(reading, timed, queue.limits).messages);
    return reading.rejected;
  }

  #executorOf(source: string): SourceExecutor {
    let executor = this.#executors.get(source);
    if (executor === undefined) {
      executor = new SourceExecutor(this.#runtime.plan, this.#sourceOf(source));
      this.#executors.set(source, executor);
    }
    return executor;
  }

  #sourceOf(name: string): SourcePlan {
    const { sources, operators } = this.#runtime.plan;
    const source = sources.get(name);
    if (source !== undefined) return source;
    if (operators.get(name)?.kind === "pull") {
      throw new RangeError(`"${name}" is a pull source: it is asked as the clock advances`);
    }
    throw new RangeError(`the job has no source "${name}"; there are: ${[...sources.keys()].join(", ")}`);
  }

  /** Where something behind the source goes by event time: each request has a hold of its own. */
  #holdsOf({ name, job }: SourcePlan): Holds | undefined {
    if (this.#runtime.shards.watermarks.of(job) === undefined) return undefined;
    let holds = this.#holds.get(name);
    if (holds === undefined) {
      let ids = 0;
      holds = new Holds({
        source: name,
        lifetime: 0,
        newId: () => `test-${ids++}`,
      });
      this.#holds.set(name, holds);
    }
    return holds;
  }

  #producerOf(source: string): Producer {
    let producer = this.#producers.get(source);
    if (producer === undefined) {
      producer = new Producer(fingerprintOf(`test ${source}`) + fingerprintOf(`${source} again`));
      this.#producers.set(source, producer);
    }
    return producer;
  }
}
