/** Records: takes a body apart, into the records that a source reads and those that are not even records. */
import type { Arrival, Rejection } from "../../engine/source/reader.ts";
import { Problem } from "../http/problem.ts";
import type { Body, BodyKind } from "./body.ts";
import { isDeeperThan, jsonErrorByte } from "./json.ts";

export const MAX_RECORDS = 10_000;
/** Deeper values could not be written down again without running out of stack. */
export const MAX_DEPTH = 100;

/** The records of a body in their order, and those that are not even records. */
export interface Records {
  readonly arrivals: readonly Arrival[];
  readonly rejected: readonly Rejection[];
}

/**
 * Takes a body apart. `index` counts from 0: the place in an array, or the line, blank ones counted and skipped.
 *
 * @throws Problem 400 when it is not UTF-8, not JSON or holds no record, 413 when it holds too many.
 */
export function recordsOf({ kind, bytes }: Body): Records {
  const text = decode(bytes);
  if (kind === "ndjson") return linesOf(text, parseLine);
  // navigator.sendBeacon sends JSON under this type, as it may not name another one.
  if (kind === "text" && !/^\s*[[{]/.test(text)) return linesOf(text, (line) => line);
  return valuesOf(text, kind);
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

function decode(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new Problem(400, "the body is not valid UTF-8");
  }
}

function valuesOf(text: string, kind: BodyKind): Records {
  if (!/\S/.test(text)) throw empty();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    const hint =
      kind === "text"
        ? "; a text that starts with { or [ is taken as JSON"
        : "; for one event a line send application/x-ndjson";
    throw new Problem(400, `the body is not JSON: syntax error at byte ${jsonErrorByte(text)}${hint}`);
  }
  const list = new RecordList();
  (Array.isArray(value) ? value : [value]).forEach((item: unknown, index) => list.add(index, item));
  return list.done();
}

function linesOf(text: string, read: (line: string) => unknown): Records {
  const list = new RecordList();
  let start = 0;
  for (let index = 0; start < text.length; index++) {
    const end = text.indexOf("\n", start);
    const line = text.slice(start, end === -1 ? text.length : end);
    start = end === -1 ? text.length : end + 1;
    if (line.trim() === "") continue;
    try {
      list.add(index, read(line.endsWith("\r") ? line.slice(0, -1) : line));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      list.reject(index, error.message);
    }
  }
  return list.done();
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new SyntaxError(`not JSON: syntax error at byte ${jsonErrorByte(line)} of the line`);
  }
}

/** Records, counted against the limit as they come. */
class RecordList {
  readonly #arrivals: Arrival[] = [];
  readonly #rejected: Rejection[] = [];

  add(index: number, value: unknown): void {
    if (isDeeperThan(value, MAX_DEPTH)) this.reject(index, `nested more than ${MAX_DEPTH} levels deep`);
    else this.#arrivals.push({ index, value });
    this.#count();
  }

  reject(index: number, error: string): void {
    this.#rejected.push({ index, error });
    this.#count();
  }

  done(): Records {
    if (this.#arrivals.length + this.#rejected.length === 0) throw empty();
    return { arrivals: this.#arrivals, rejected: this.#rejected };
  }

  #count(): void {
    if (this.#arrivals.length + this.#rejected.length <= MAX_RECORDS) return;
    throw new Problem(413, `more than ${MAX_RECORDS} events in one request; send them in smaller requests`, {
      limit: MAX_RECORDS,
    });
  }
}

function empty(): Problem {
  return new Problem(400, "the body holds no event; send at least one");
}
