/** TestIngest: what takes requests in for a TestDriver: reads their records and puts them into their source's queue. */
import { Producer } from "../engine/producer.ts";
import { ProducerKind } from "../engine/segment.ts";
import type { Rejection } from "../engine/source/reader.ts";
import { SourceExecutor } from "../engine/source-executor.ts";
import { fingerprintOf } from "../hash.ts";
import type { SourcePlan } from "../plan.ts";
import type { TestRuntime } from "./test-runtime.ts";

export class TestIngest {
  readonly #runtime: TestRuntime;
  readonly #executors = new Map<string, SourceExecutor>();
  readonly #producers = new Map<string, Producer>();

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
    const arrival = this.#runtime.clock.now();
    const { producer: id, sequence } = producer.next;
    // Ids sort as events were sent: what goes by time and, at the same time, by id is then as a test expects.
    const idBase = `${source}.${String(sequence).padStart(8, "0")}`;
    const arrivals = records.map((value, index) => ({ index, value }));
    const reading = executor.read(arrivals, idBase, arrival);
    if (reading.accepted === 0) return reading.rejected;
    const before = producer.counted;
    const identity = { producer: id, sequence, kind: ProducerKind.isolate, arrival, before, single: false };
    const queue = this.#runtime.queue(executor.source.queue);
    const { messages, segments } = executor.pack(reading, identity, queue.limits);
    producer.advance(segments.length, reading.accepted);
    await queue.send(messages);
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

  #producerOf(source: string): Producer {
    let producer = this.#producers.get(source);
    if (producer === undefined) {
      producer = new Producer(fingerprintOf(`test ${source}`) + fingerprintOf(`${source} again`));
      this.#producers.set(source, producer);
    }
    return producer;
  }
}
