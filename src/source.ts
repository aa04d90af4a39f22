/** Source: brings data in and turns what arrived into events. */
import type { Nothing, SourceCollector } from "./collector.ts";

/**
 * A source of events of type `T`. Extend it and say how one record that arrived becomes events:
 *
 * ```ts
 * class ClickReader extends Source<Click> {
 *   getEvents(input: unknown, collector: SourceCollector<Click>) {
 *     const { url, time } = parse(clickSchema, typeof input === "string" ? { url: input } : input);
 *     collector.emit({ url }, { time });
 *   }
 * }
 * ```
 *
 * `name` is a stable id: it names the HTTP path (`/v1/sources/{name}`) and the queue.
 */
export abstract class Source<T, Input = unknown> {
  readonly name: string;
  readonly options: SourceOptions;

  constructor(name: string, options: SourceOptions = {}) {
    this.name = name;
    this.options = options;
  }

  /**
   * Emits the events (none, one or several) that one record stands for. Over HTTP a record is one line of text (a
   * string) or one JSON value. Must be synchronous and depend on nothing but `input`, since a client's retry runs it
   * again.
   *
   * @throws InvalidEventError when the record is not valid: it is rejected with this message, as a whole.
   */
  abstract getEvents(input: Input, collector: SourceCollector<T>): Nothing;
}

export interface SourceOptions {
  /**
   * How long the source's queue waits for a batch to fill: whole seconds, 0 to 60. With 0, the default, results show at
   * once. Under load batches fill by themselves; in slow traffic a second of patience makes fewer, fuller ones, which is
   * cheaper where most requests hold one event.
   */
  readonly batchSeconds?: number;
}
