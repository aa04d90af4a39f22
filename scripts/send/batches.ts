/**
 * Batches: the deterministic cut of the input into requests. Request n is a function of the input's bytes and the
 * settings alone, so that a sequence number means the same bytes in every run.
 */
import { createHash } from "node:crypto";
import { type Format, parseLine } from "./formats.ts";
import { type Line, MAX_LINE_BYTES, type Meter, type Position } from "./input.ts";

/** Reject rows that are kept and shown; beyond it they are only counted. */
export const SHOWN_REJECTS = 20;

/** Bytes of packed keys in a request: with the rest of its envelope it stays under one 64 KB queue operation. */
export const MAX_PACKED_BYTES = 49_152;

export interface CutSettings {
  readonly format: Format;
  /** Events in a request, at most. */
  readonly batch: number;
}

/** `line` counts from 1 in the input number `file`. */
export interface Reject {
  readonly file: number;
  readonly line: number;
  readonly error: string;
}

/** The first rows of both, in the order of the input. */
export function firstRejects(some: readonly Reject[], more: readonly Reject[]): readonly Reject[] {
  if (more.length === 0) return some;
  return [...some, ...more].sort((a, b) => a.file - b.file || a.line - b.line).slice(0, SHOWN_REJECTS);
}

export interface Batch {
  readonly from: Position;
  /** Where the next batch's first event begins. */
  readonly to: Position;
  /** NDJSON, one event a line. */
  readonly body: string;
  /** Of `body`, as the journal keeps it. */
  readonly hash: string;
  /** 0 only when the whole input has no event. */
  readonly events: number;
  /** Where the event number i of the body came from: `files[i]` and `lines[i]`. */
  readonly files: readonly number[];
  readonly lines: readonly number[];
  /** Lines that are no events: all of them, and the first rows. */
  readonly rejected: number;
  readonly rejects: readonly Reject[];
  /** No event follows. */
  readonly last: boolean;
  /** Bytes read off the disk by the time of the cut. */
  readonly read: number;
}

/**
 * Cuts lines into batches. A batch ends right before the first event that does not fit, so that a batch always begins
 * with an event, whichever position the reading began at, and the last one is known to be the last.
 */
export async function* cutBatches(
  chunks: AsyncIterable<readonly Line[]>,
  settings: CutSettings,
  from: Position,
  end: Position,
  meter: Meter,
): AsyncGenerator<Batch> {
  let draft = new Draft(from);
  for await (const lines of chunks) {
    for (const line of lines) {
      const parsed = line.bytes === undefined ? TOO_LONG : parseLine(line.bytes, settings.format);
      if (parsed.kind === "reject") draft.reject(line, parsed.error);
      if (parsed.kind !== "event") continue;
      if (draft.isFullFor(parsed.weight, settings.batch)) {
        const { file, byte, line: number } = line;
        const next: Position = { file, byte, line: number };
        yield draft.close(next, false, meter.bytes);
        draft = new Draft(next);
      }
      draft.add(line, parsed.json, parsed.weight);
    }
  }
  if (!draft.isEmpty) yield draft.close(end, true, meter.bytes);
}

const TOO_LONG = { kind: "reject", error: `line longer than ${MAX_LINE_BYTES} bytes` } as const;

class Draft {
  readonly #from: Position;
  readonly #events: string[] = [];
  readonly #files: number[] = [];
  readonly #lines: number[] = [];
  readonly #rejects: Reject[] = [];
  #rejected = 0;
  #weight = 0;

  constructor(from: Position) {
    this.#from = from;
  }

  get isEmpty(): boolean {
    return this.#events.length === 0 && this.#rejected === 0;
  }

  isFullFor(weight: number, batch: number): boolean {
    const events = this.#events.length;
    return events >= batch || (events > 0 && this.#weight + weight > MAX_PACKED_BYTES);
  }

  add(line: Line, event: string, weight: number): void {
    this.#events.push(event);
    this.#files.push(line.file);
    this.#lines.push(line.line);
    this.#weight += weight;
  }

  reject(line: Line, error: string): void {
    this.#rejected++;
    if (this.#rejects.length < SHOWN_REJECTS) this.#rejects.push({ file: line.file, line: line.line, error });
  }

  close(to: Position, last: boolean, read: number): Batch {
    const body = this.#events.join("\n");
    return {
      from: this.#from,
      to,
      body,
      hash: createHash("sha256").update(body).digest("hex").slice(0, 16),
      events: this.#events.length,
      files: this.#files,
      lines: this.#lines,
      rejected: this.#rejected,
      rejects: this.#rejects,
      last,
      read,
    };
  }
}
