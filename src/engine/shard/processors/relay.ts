/**
 * RelayProcessor: makes what one run of a stage came to the outcome of its events.
 *
 * A stage's code runs in the operator Worker, may wait, and may come to something else when it runs again. Whoever
 * commits an event's outcome here first has it; from here on it is as durable and as single as any commit. A segment may
 * be committed in parts, as its events are done, so that a slow one makes progress; what is done is remembered by
 * position until the segment is complete.
 */
import type { DeadEvent } from "../../segment.ts";
import type { DeadLetter, ShardSegment } from "../protocol.ts";
import type { Applied, Fresh, InputRecord, Processor, Scratch } from "../scratch.ts";

/** What a stage came to for one event: the `partial` of a record whose key is the event's position in its segment. */
export type StageOutcome =
  | { readonly emitted: readonly StageEmission[] }
  | { readonly dead: Omit<DeadEvent, "n"> };

export type StageEmission = readonly [id: string, time: number, data: unknown, output?: string];

export class RelayProcessor implements Processor {
  readonly growing = false;
  keysOf(fresh: readonly Fresh[]): string[] {
    return fresh.map(({ segment }) => progressKey(segment));
  }

  apply({ segment, key, partial, n }: InputRecord, scratch: Scratch): Applied {
    const position = Number(key);
    const progress = progressKey(segment);
    const done = scratch.get(progress) as readonly number[] | undefined;
    if (done?.includes(position)) return "skipped";
    if (segment.open === true || done !== undefined) scratch.put(progress, [...(done ?? []), position]);
    const outcome = partial as StageOutcome;
    if ("dead" in outcome) {
      scratch.bury({ source: segment.source, n, ...outcome.dead });
      return "buried";
    }
    for (const [id, time, data, output] of outcome.emitted) scratch.emit(output, { id, time, data });
    return "applied";
  }

  remains({ key, partial }: InputRecord): Pick<DeadLetter, "record"> {
    return { record: { key, partial } };
  }

  begun(segment: ShardSegment, scratch: Scratch): boolean {
    return scratch.get(progressKey(segment)) !== undefined;
  }

  endSegment(segment: ShardSegment, scratch: Scratch): void {
    const progress = progressKey(segment);
    if (segment.open !== true && scratch.get(progress) !== undefined) scratch.put(progress, null);
  }

  result(value: unknown): unknown {
    return value;
  }
}

export function progressKey({ producer, sequence }: Pick<ShardSegment, "producer" | "sequence">): string {
  return `${producer}.${sequence}`;
}
