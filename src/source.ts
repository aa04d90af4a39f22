/** Source: brings data in and turns what arrived into events. */
import type { Nothing, SourceCollector } from "./collector.ts";
import type { EventAttributes } from "./event.ts";

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
  /** What a record may look like, as a line of text, JSON or not. Shown to whoever wants to send one. */
  readonly example: string | undefined = undefined;

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

export interface SourceOptions extends EventTimeOptions {
  /**
   * How long the source's queue waits for a batch to fill: whole seconds, 0 to 60. With 0, the default, results show at
   * once. Under load batches fill by themselves; in slow traffic a second of patience makes fewer, fuller ones, which is
   * cheaper where most requests hold one event.
   */
  readonly batchSeconds?: number;
}

export interface EventTimeOptions {
  /**
   * How far events may be behind: an event whose time is at most this much before its arrival is never late, however
   * long a queue holds it up. Windows wait this long for their results. Milliseconds or words; "5 seconds" by default.
   */
  readonly outOfOrderness?: number | string;
  /**
   * What the watermark follows. `arrival`, the default of sources over HTTP: the clock at which events come, minus
   * `outOfOrderness`, so windows close in quiet times too. `events`, the default of pull sources: the latest event time
   * that was seen, minus `outOfOrderness`. `explicit`: only what the source itself says, by `collector.watermark` or
   * `Pulled.watermark`.
   */
  readonly watermarks?: WatermarkStrategy;
}

export type WatermarkStrategy = "arrival" | "events" | "explicit";

/**
 * A source that is asked: the runtime calls `getEvents` again and again, with the offset that the last call gave.
 *
 * Guarantee: the events of an answer and its offset are committed together, so each answer counts exactly once; a call
 * whose answer was lost in a crash is made again with the same offset.
 */
export abstract class PullSource<T, Offset = unknown> {
  readonly name: string;
  readonly options: PullSourceOptions;

  constructor(name: string, options: PullSourceOptions = {}) {
    this.name = name;
    this.options = options;
  }

  /** Change it when the format of the offset changes: an offset of another format is refused, not misread. */
  get signature(): string {
    return `${this.constructor.name}@1`;
  }

  /** May wait (a poller does). What it throws is tried again with backoff. The offset is JSON; undefined at first. */
  abstract getEvents(request: PullRequest<Offset>): Pulled<T, Offset> | Promise<Pulled<T, Offset>>;
}

export interface PullSourceOptions extends EventTimeOptions {
  /** The least time between two calls: milliseconds, or words like "10 seconds"; "1 second" by default. */
  readonly every?: number | string;
  /** Events that one call may give at most; 1,000 by default. */
  readonly limit?: number;
}

export interface PullRequest<Offset> {
  readonly offset: Offset | undefined;
  /** Epoch milliseconds. */
  readonly now: number;
  readonly limit: number;
  /** The Worker's bindings and secrets; in memory, what the runtime was given. */
  readonly env: Readonly<Record<string, unknown>>;
}

export interface Pulled<T, Offset> {
  readonly events: readonly PulledEvent<T>[];
  readonly offset: Offset;
  /** With `watermarks: "explicit"`: no event with this time or an earlier one will come after these. Epoch milliseconds. */
  readonly watermark?: number;
  /** When to ask next, epoch milliseconds: sooner or later than `every` says. `now` when there is more at once. */
  readonly next?: number;
}

/** An event as a pull source gives it: `time` defaults to when it was asked, `id` to a generated one. */
export interface PulledEvent<T> extends EventAttributes {
  readonly data: T;
}
