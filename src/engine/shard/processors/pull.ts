/** PullProcessor: holds the offset of a pull source; nothing comes to it from elsewhere. */
import type { InputRecord, Processor, Scratch } from "../scratch.ts";

/** The key under which a pull source's shard keeps its offset. */
export const OFFSET_KEY = "offset";

export interface StoredOffset {
  readonly offset: unknown;
  /** When to ask next, epoch milliseconds. */
  readonly next: number;
  /** Answers so far: part of the ids of events. */
  readonly pulls: number;
}

export class PullProcessor implements Processor {
  readonly growing = false;

  keysOf(): string[] {
    return [];
  }

  apply(_record: InputRecord, _scratch: Scratch): never {
    throw new TypeError("a pull source takes no events");
  }

  remains({ key, partial }: InputRecord) {
    return { record: { key, partial } };
  }

  result(value: unknown): unknown {
    return value;
  }
}
