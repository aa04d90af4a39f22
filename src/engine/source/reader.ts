/** Reader: turns what arrived into events, by the source's own hook, and says of each record why not. */

import type { SourceCollector } from "../../collector.ts";
import { parseTime } from "../../duration.ts";
import { InvalidEventError, messageOf } from "../../errors.ts";
import type { Event, EventAttributes } from "../../event.ts";
import type { Source } from "../../source.ts";

/** The records of a request: lines of text, or JSON values. */
export interface Arrivals {
  readonly values: readonly unknown[];
  /** Their places in the body, counted from 0: in the array, or the line. By default those in `values`. */
  readonly places?: readonly number[];
}

export interface Rejection {
  readonly index: number;
  readonly error: string;
}

/** How far ahead of its arrival an event may claim to be: a clock that is off, not one that is broken. */
export const MAX_FUTURE_MS = 3_600_000;
const MAX_ID_LENGTH = 256;

/** Before a record's first event; nothing is ever put into it. */
const NONE: Event<unknown>[] = [];

/** Reads the records of one request; one collector serves all of them, since a request may have thousands. */
export class EventReader implements SourceCollector<unknown> {
  readonly #source: Source<unknown>;
  /** What generated ids begin with. */
  readonly #prefix: string;
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
    this.#prefix = `${idBase}.`;
    this.#arrival = arrival;
  }

  /**
   * The events that one record stands for.
   *
   * @param index its place in the body.
   * @throws InvalidEventError when the record is not valid.
   */
  read(value: unknown, index: number): readonly Event<unknown>[] {
    this.#index = index;
    this.#events = NONE;
    this.#said = undefined;
    try {
      const returned: unknown = this.#source.getEvents(value, this);
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
    const event: Event<unknown> = {
      id:
        id === undefined
          ? `${this.#prefix}${this.#index}${events.length === 0 ? "" : `-${events.length}`}`
          : checkId(id),
      time: time === undefined ? this.#arrival : checkTime(time, this.#arrival),
      data,
    };
    // Made with its first event a list has room for one; grown from nothing it would have room for seventeen.
    if (events.length === 0) this.#events = [event];
    else events.push(event);
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
