/** Past: what a journal's records say about earlier runs, read back in memory bounded by what was in flight. */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { firstRejects, type Reject } from "./batches.ts";
import { SendError } from "./failure.ts";
import type { Header } from "./identity.ts";
import { type Position, START } from "./input.ts";

/** What the server said to a request. `refused` counts its rejects, `rows` are the first of them. */
export interface Receipt {
  readonly accepted: number;
  readonly refused: number;
  readonly rows: readonly Reject[];
  /** Undefined when nothing was accepted: there is nothing to wait for. */
  readonly ticket: string | undefined;
}

/** What is known of a request from an earlier run. */
export interface Known {
  cut?: CutRecord;
  receipt?: Receipt;
  applied?: true;
}

interface CutRecord {
  readonly to: Position;
  readonly hash: string;
  readonly rejected: number;
  readonly rejects: readonly Reject[];
}

/** The requests below `next` are settled and folded into the counts; `known` has what is known from `next` on. */
export interface Past {
  next: number;
  start: Position;
  known: Map<number, Known>;
  applied: number;
  rejected: number;
  rejects: readonly Reject[];
}

/** The lines of a journal after its first. */
export type Entry =
  | ({ readonly cut: number; readonly from: Position; readonly events: number } & CutRecord)
  | ({ readonly answered: number } & Receipt)
  | { readonly applied: number };

export function emptyPast(): Past {
  return { next: 0, start: START, known: new Map(), applied: 0, rejected: 0, rejects: [] };
}

/** Throws a `SendError` for a file without a producer; any other damage only costs work. */
export async function load(file: string): Promise<{ header: Header; past: Past }> {
  const past = emptyPast();
  let header: Header | undefined;
  for await (const line of createInterface({ input: createReadStream(file) })) {
    const value = parse(line);
    if (header !== undefined) note(past, value as Partial<Entry> | undefined);
    else if (value === undefined || !("producer" in value)) break;
    else header = value as Header;
  }
  if (header === undefined) {
    throw new SendError(`The journal ${file} is damaged: use --fresh to send everything as new.`);
  }
  return { header, past };
}

function parse(line: string): object | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function note(past: Past, entry: Partial<Entry> | undefined): void {
  if (entry === undefined) return;
  if ("cut" in entry) knownOf(past, entry.cut).cut ??= entry as CutRecord;
  // The newest ticket is the one to ask for.
  else if ("answered" in entry) knownOf(past, entry.answered).receipt = entry as Receipt;
  else if ("applied" in entry) knownOf(past, entry.applied).applied = true;
  fold(past);
}

function knownOf(past: Past, sequence: number | undefined): Known {
  if (sequence === undefined || sequence < past.next) return {};
  const known = past.known.get(sequence) ?? {};
  past.known.set(sequence, known);
  return known;
}

/** Settled requests at the front become counts, so that memory holds only what is in flight. */
function fold(past: Past): void {
  for (let known = past.known.get(past.next); known !== undefined; known = past.known.get(past.next)) {
    const { cut, receipt } = known;
    if (cut === undefined || receipt === undefined || !isSettled(known)) return;
    past.start = cut.to;
    past.applied += receipt.accepted;
    past.rejected += cut.rejected + receipt.refused;
    past.rejects = firstRejects(past.rejects, [...cut.rejects, ...receipt.rows]);
    past.known.delete(past.next++);
  }
}

/** Nothing remains to be done for it. */
export function isSettled(known: Known): boolean {
  return known.receipt !== undefined && (known.applied === true || known.receipt.ticket === undefined);
}
