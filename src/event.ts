/** Event: the immutable record that flows through a job. */

/**
 * One thing that happened.
 *
 * Guarantees: `id` is the same on every delivery of the event; `time` is event time in epoch milliseconds, fixed when
 * the event was accepted; neither is ever recomputed.
 */
export interface Event<T> {
  readonly id: string;
  /** Event time, epoch milliseconds. */
  readonly time: number;
  /** Set behind a `keyBy`. */
  readonly key?: string;
  readonly data: T;
}

/** What a source may say about an event besides its data; the rest gets a default: arrival time, a generated id. */
export interface EventAttributes {
  /** Event time: epoch milliseconds, or ISO 8601 with an offset. */
  readonly time?: number | string | undefined;
  readonly id?: string | undefined;
}
