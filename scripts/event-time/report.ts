/** Report: how a run compares with its recount, and the table of all. */
import { table } from "../plan/table.ts";
import type { Recount } from "./recount.ts";
import { differences } from "./recount.ts";
import type { RunResult } from "./run.ts";

export interface Comparison {
  readonly name: string;
  readonly events: number;
  readonly results: number;
  readonly late: number;
  readonly perSecond: number;
  /** One line each; empty when all is as recounted. */
  readonly differences: readonly string[];
}

export function compare(name: string, events: number, got: RunResult, wanted: Recount): Comparison {
  const found = differences("result", got.results, wanted.results);
  if (got.late !== undefined) found.push(...differences("late", got.late, wanted.late));
  if (got.lateCount !== wanted.late.length)
    found.push(`${got.lateCount} events were counted as late, the recount says ${wanted.late.length}`);
  if (got.deadLetters > 0) found.push(`${got.deadLetters} dead letters`);
  return {
    name,
    events,
    results: got.results.length,
    late: got.lateCount,
    perSecond: events / got.seconds,
    differences: found,
  };
}

export function tableOf(comparisons: readonly Comparison[]): string[] {
  const rows = comparisons.map(({ name, events, results, late, perSecond, differences: found }) => [
    name,
    ...[events, results, late].map((n) => n.toLocaleString("en")),
    found.length === 0 ? "yes" : `${found.length} differences`,
    Math.round(perSecond).toLocaleString("en"),
  ]);
  return table(["job", "events", "results", "late", "as recounted", "events/s"], rows, [1, 2, 3, 5]);
}
