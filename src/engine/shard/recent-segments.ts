/**
 * Recent segments: when a shard applied the last few of them, and what came of their events.
 *
 * Nothing is stored for it: it is filled by each commit, and after a wake-up by the replay of the log. It may forget
 * anything at any time; that a segment is applied is known without it, by a bit that is never given up so easily.
 */
import type { SegmentId } from "../segment.ts";
import type { LogContent } from "./log-entry.ts";

/** What is remembered of a segment. Times are epoch milliseconds. */
export interface SegmentOutcome {
  /** When ingest accepted it. */
  readonly arrival: number;
  /** The commit that completed it. */
  readonly lsn: number;
  readonly time: number;
  /** Of the events that it holds for this shard. */
  readonly late: number;
  readonly dead: number;
}

export class RecentSegments {
  /** Oldest first. */
  readonly #outcomes = new Map<string, SegmentOutcome>();

  readonly capacity: number;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  take(lsn: number, { segments, time }: Pick<LogContent, "segments" | "time">): void {
    if (time === undefined) return;
    for (const segment of segments) {
      const id = nameOf(segment);
      // A part of it may have been applied before.
      const earlier = this.#outcomes.get(id);
      this.#outcomes.delete(id);
      this.#outcomes.set(id, {
        arrival: segment.arrival,
        lsn,
        time,
        late: segment.late + (earlier?.late ?? 0),
        dead: segment.dead + (earlier?.dead ?? 0),
      });
    }
    for (const oldest of this.#outcomes.keys()) {
      if (this.#outcomes.size <= this.capacity) return;
      this.#outcomes.delete(oldest);
    }
  }

  get(segment: SegmentId): SegmentOutcome | undefined {
    return this.#outcomes.get(nameOf(segment));
  }
}

function nameOf({ producer, sequence }: SegmentId): string {
  return `${producer}.${sequence}`;
}
