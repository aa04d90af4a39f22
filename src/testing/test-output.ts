/** TestOutput: what a stream carries, to be read by a test. */
import type { Event } from "../event.ts";
import { inOrder } from "./order.ts";

/** An event as tests compare it: without its id. */
export interface OutputRow<T> {
  /** Event time, epoch milliseconds. */
  readonly time: number;
  /** Behind a `keyBy`. */
  readonly key?: string;
  /** As what is downstream would get it: JSON. */
  readonly data: T;
}

export interface TestOutput<T> {
  /** The events since the last read, as rows: step by step, and within a step by what they go back to. */
  read(): OutputRow<T>[];
  /**
   * The events since the last read, with their ids. The ids of what goes back to an aggregate's change name a shard: only
   * for one number of shards are they the same.
   */
  readEvents(): Event<T>[];
}

/** Gathers what a tap hears. */
export class OverheardOutput implements TestOutput<unknown> {
  #heard: Event<unknown>[] = [];
  #unread: Event<unknown>[] = [];

  read(): OutputRow<unknown>[] {
    return this.readEvents().map(({ time, key, data }) => ({
      time,
      ...(key === undefined ? {} : { key }),
      data,
    }));
  }

  readEvents(): Event<unknown>[] {
    const events = this.#unread;
    this.#unread = [];
    return events;
  }

  readonly hear = (event: Event<unknown>): void => {
    this.#heard.push(event);
  };

  /** A step is over: what it gave can be put in order. */
  endStep(aggregates: ReadonlySet<string>): void {
    this.#unread.push(...inOrder(this.#heard, aggregates));
    this.#heard = [];
  }
}
