/** Line: what was typed, and what is known of its way so far. */
import type { TimeWindow } from "../../api/types.ts";

export interface Line {
  /** Also its idempotency key: sent again, it counts once. */
  readonly id: string;
  readonly text: string;
  readonly source: string;
  /** When it was typed, by this device's clock, ms. */
  readonly at: number;
  readonly state: LineState;
}

export type LineState =
  /** Others are before it. */
  | { readonly step: "waiting" }
  | { readonly step: "sent" }
  /** The server would not take it; `retryAfter` in seconds, where it may be sent again later. */
  | { readonly step: "refused"; readonly reason: string; readonly retryAfter?: number }
  /** Nobody answered: whether it arrived is not known. */
  | { readonly step: "unanswered"; readonly reason: string }
  | Accepted;

export interface Accepted {
  readonly step: "accepted";
  /** From Enter to the answer, ms. */
  readonly ms: number;
  readonly events: number;
  /** The operators of its ticket; unknown before the ticket has been looked at. */
  readonly ways: readonly Way[];
  readonly values: readonly ShownValue[];
  /** Why nobody knows more. */
  readonly trouble?: string;
  readonly end?: "applied" | "in-flight";
}

/** What became of it at one operator. */
export interface Way {
  readonly operator: string;
  readonly applied: boolean;
  readonly shards: readonly WayShard[];
  /** From Enter until this page knew, ms. */
  readonly seenMs?: number;
}

export interface WayShard {
  readonly shard: number;
  /** From its acceptance to its commit, by the server's clocks, ms; unknown where the shard does not tell. */
  readonly afterMs?: number;
  readonly late: number;
  readonly dead: number;
}

export interface ShownValue {
  readonly view: string;
  readonly key: string;
  readonly value: unknown;
  readonly window?: TimeWindow;
}

/** Whether it is over, for good or ill: nothing more will come. */
export function isSettled({ state }: Line): boolean {
  if (state.step === "accepted") return state.end !== undefined;
  return state.step === "refused" || state.step === "unanswered";
}

const MOST_KEYS = 4;

/** Under which keys of a view a line may be found: itself, or what a JSON object says. */
export function keysOf(text: string): string[] {
  const line = text.trim();
  try {
    const record: unknown = JSON.parse(line);
    if (typeof record === "object" && record !== null) {
      const values = Object.values(record).filter((value) => ["string", "number"].includes(typeof value));
      return [...new Set(values.map(String))].slice(0, MOST_KEYS);
    }
  } catch {
    // A line of text.
  }
  return line === "" ? [] : [line];
}

const MOST_LINES = 200;

/** The lines of a pasted text, without empty ones; and how many were left out, since there were too many. */
export function linesOf(text: string): { readonly lines: readonly string[]; readonly left: number } {
  const lines = text.split(/\r\n|\n|\r/).filter((line) => line.trim() !== "");
  return { lines: lines.slice(0, MOST_LINES), left: Math.max(0, lines.length - MOST_LINES) };
}
