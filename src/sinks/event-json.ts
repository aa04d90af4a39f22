/** EventJson: an event as sinks hand it to the outside, and back. */
import type { Event } from "../event.ts";

export interface EventJson<T> {
  readonly id: string;
  /** ISO 8601 UTC; epoch milliseconds where they are beyond what a date can be. */
  readonly time: string | number;
  /** Set behind a `keyBy`. */
  readonly key?: string;
  readonly data: T;
}

const MOST_MS = 8.64e15;

export function toEventJson<T>({ id, time, key, data }: Event<T>): EventJson<T> {
  const iso = Math.abs(time) <= MOST_MS ? new Date(time).toISOString() : time;
  return { id, time: iso, ...(key === undefined ? {} : { key }), data };
}

export function fromEventJson<T>({ id, time, key, data }: EventJson<T>): Event<T> {
  const ms = typeof time === "number" ? time : Date.parse(time);
  return { id, time: ms, ...(key === undefined ? {} : { key }), data };
}
