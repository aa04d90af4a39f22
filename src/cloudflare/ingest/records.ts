/** Records: takes a body apart, into the records that a source reads and those that are not even records. */
import type { Arrivals, Rejection } from "../../engine/source/reader.ts";
import { Problem } from "../http/problem.ts";
import type { Body, BodyKind } from "./body.ts";
import { isDeeperThan, jsonErrorByte } from "./json.ts";

export const MAX_RECORDS = 10_000;
/** Deeper values could not be written down again without running out of stack. */
export const MAX_DEPTH = 100;

/** The records of a body in their order, and those that are not even records. */
export interface Records {
  readonly arrivals: Arrivals;
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
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  // As they are, when all are taken: a second list of thousands would have to be kept as long as the first.
  if (values.length > 0 && values.length <= MAX_RECORDS && !values.some(isTooDeep))
    return { arrivals: { values }, rejected: [] };
  const list = new RecordList();
  values.forEach((item, index) => list.add(index, item));
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

function isTooDeep(value: unknown): boolean {
  return isDeeperThan(value, MAX_DEPTH);
}

/** Records, counted against the limit as they come. */
class RecordList {
  readonly #values: unknown[] = [];
  readonly #places: number[] = [];
  readonly #rejected: Rejection[] = [];

  add(index: number, value: unknown): void {
    if (isTooDeep(value)) {
      this.reject(index, `nested more than ${MAX_DEPTH} levels deep`);
      return;
    }
    this.#values.push(value);
    this.#places.push(index);
    this.#count();
  }

  reject(index: number, error: string): void {
    this.#rejected.push({ index, error });
    this.#count();
  }

  done(): Records {
    if (this.#values.length + this.#rejected.length === 0) throw empty();
    return { arrivals: { values: this.#values, places: this.#places }, rejected: this.#rejected };
  }

  #count(): void {
    if (this.#values.length + this.#rejected.length <= MAX_RECORDS) return;
    throw new Problem(413, `more than ${MAX_RECORDS} events in one request; send them in smaller requests`, {
      limit: MAX_RECORDS,
    });
  }
}

function empty(): Problem {
  return new Problem(400, "the body holds no event; send at least one");
}
