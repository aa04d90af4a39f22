/**
 * log: writes each event as a line of JSON to the console: the terminal in memory, the Worker's logs when deployed.
 *
 * ```ts
 * clicks.addSink(log("debug"))
 * clicks.addSink(log("slow", { level: "warn", format: ({ data }) => `${data.url} took ${data.ms} ms` }))
 * ```
 */
import type { Event } from "../event.ts";
import type { SinkBatch, SinkOptions } from "../sink.ts";
import { Sink } from "../sink.ts";
import { toEventJson } from "./event-json.ts";

export interface LogOptions<T> extends SinkOptions {
  /** "log" by default. */
  readonly level?: "debug" | "info" | "log" | "warn" | "error";
  /** The line of an event; the sink's name and the event as JSON by default. */
  readonly format?: (event: Event<T>) => string;
}

/** Each event is logged at least once: again, with its whole batch, after a crash. */
export function log<T = unknown>(name: string, options: LogOptions<T> = {}): LogSink<T> {
  return new LogSink(name, options);
}

export class LogSink<T> extends Sink<T> {
  readonly #level: NonNullable<LogOptions<T>["level"]>;
  readonly #format: (event: Event<T>) => string;

  constructor(name: string, { level = "log", format, ...options }: LogOptions<T> = {}) {
    super(name, options);
    this.#level = level;
    this.#format = format ?? ((event) => `${name} ${JSON.stringify(toEventJson(event))}`);
  }

  async write({ events }: SinkBatch<T>): Promise<void> {
    for (const event of events) console[this.#level](this.#format(event));
  }
}
