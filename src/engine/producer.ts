/** Producer: numbers the segments of one isolate for one source. */
import type { SegmentId } from "./segment.ts";

/**
 * Not durable on purpose: an isolate that starts anew is a new producer. The id is 128 random bits, minted when it is
 * first needed, since Workers have no randomness while a module loads.
 */
export class Producer {
  #id: string | undefined;
  #sequence = 0;
  #counted = 0;

  /** @param id 32 hex digits, for runs that are to be the same each time; random by default. */
  constructor(id?: string) {
    this.#id = id;
  }

  get id(): string {
    this.#id ??= randomId();
    return this.#id;
  }

  /** The identity of the next segment; it is only taken by `advance`. */
  get next(): SegmentId {
    return { producer: this.id, sequence: this.#sequence };
  }

  /** Events in all segments so far. */
  get counted(): number {
    return this.#counted;
  }

  /** Takes `segments` numbers, for `events` events in all. They must then be sent, or are gaps for good. */
  advance(segments: number, events: number): void {
    this.#sequence += segments;
    this.#counted += events;
  }
}

/** 128 random bits as 32 hex digits. */
export function randomId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}
