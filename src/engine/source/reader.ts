/** Reader: turns what arrived into events, by the source's own hook, and says of each record why not. */

import type { SourceCollector } from "../../collector.ts";
import { parseTime } from "../../duration.ts";
import { InvalidEventError, messageOf } from "../../errors.ts";
import type { Event, EventAttributes } from "../../event.ts";
import type { Source } from "../../source.ts";
import { append } from "./append.ts";

/** One record of a request: a line of text or a JSON value, with its place in the body. */
export interface Arrival {
  /** Counted from 0: the place in the array, or the line. */
  readonly index: number;
  readonly value: unknown;
}

export interface Rejection {
  readonly index: number;
  readonly error: string;
}

/** How far ahead of its arrival an event may claim to be: a clock that is off, not one that is broken. */
export const MAX_FUTURE_MS = 3_600_000;
const MAX_ID_LENGTH = 256;

/** Reads the records of one request; one collector serves all of them, since a request may have thousands. */
export class EventReader implements SourceCollector<unknown> {
  readonly #source: Source<unknown>;
  readonly #idBase: string;
  readonly #arrival: number;
  #index = 0;
  #events: Event<unknown>[] | undefined;
  #said: number | undefined;

  /**
   * @param idBase prefix of generated ids, unique in the deployment and the same on a retry.
   * @param arrival epoch milliseconds: the default event time.
   */
  constructor(source: Source<unknown>, idBase: string, arrival: number) {
    this.#source = source;
    this.#idBase = idBase;
    this.#arrival = arrival;
  }

  /**
   * The events that one record stands for.
   *
   * @throws InvalidEventError when the record is not valid.
   */
  read(record: Arrival): readonly Event<unknown>[] {
    this.#index = record.index;
    this.#events = [];
    this.#said = undefined;
    try {
      const returned: unknown = this.#source.getEvents(record.value, this);
      if (returned instanceof Promise) {
        returned.catch(() => undefined);
        throw new TypeError("getEvents returned a Promise, but nothing waits for it");
      }
      return this.#events;
    } finally {
      this.#events = undefined;
    }
  }

  /** The watermark that the last record stated, epoch milliseconds. */
  get watermarkSaid(): number | undefined {
    return this.#said;
  }

  /** @throws InvalidEventError when it is no time, or the source's watermark does not follow what is said. */
  watermark(time: number | string): void {
    if (this.#events === undefined) throw new TypeError("watermark was called after getEvents had returned");
    if (this.#source.options.watermarks !== "explicit")
      throw new TypeError('a source states watermarks with the option watermarks: "explicit" only');
    const parsed = parseTime(time);
    if (parsed === undefined || parsed < 0)
      throw new InvalidEventError("watermark: use ISO 8601 with an offset, or epoch milliseconds");
    this.#said = Math.max(this.#said ?? 0, parsed);
  }

  /** What the source calls, while it reads and no later: then nobody would see the event. */
  emit(data: unknown, attributes?: EventAttributes): void {
    const { id, time } = attributes ?? {};
    const events = this.#events;
    if (events === undefined) throw new TypeError("emit was called after getEvents had returned");
    this.#events = append(events, {
      id:
        id === undefined
          ? `${this.#idBase}.${this.#index}${events.length === 0 ? "" : `-${events.length}`}`
          : checkId(id),
      time: time === undefined ? this.#arrival : checkTime(time, this.#arrival),
      data,
    });
  }
}

/** What to tell the sender; an unexpected error of the hook is his record's error too, as nothing of it was accepted. */
export function rejectionOf(index: number, error: unknown): Rejection {
  return { index, error: messageOf(error) };
}

function checkTime(value: unknown, arrival: number): number {
  const time = parseTime(value);
  if (time === undefined) {
    throw new InvalidEventError(
      "time: use ISO 8601 with an offset, like 2026-01-31T12:00:00Z, or epoch milliseconds",
    );
  }
  if (time < 0) throw new InvalidEventError("time: before 1970");
  if (time > arrival + MAX_FUTURE_MS) throw new InvalidEventError("time: more than an hour in the future");
  return time;
}

function checkId(id: unknown): string {
  if (typeof id !== "string" || id === "" || id.length > MAX_ID_LENGTH || !id.isWellFormed()) {
    throw new InvalidEventError(`id: use a string of 1 to ${MAX_ID_LENGTH} characters`);
  }
  return id;
}
