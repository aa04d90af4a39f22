/** Compare: where what can be read and the recount disagree. */
import type { AlertRow, AverageRow } from "./recount.ts";

/** Averages of the same readings, summed in another order. Relative. */
const TOLERANCE = 1e-9;

/** One line for each disagreement; empty when there is none. Both by `{start} {district}`. */
export function averageDifferences(
  got: ReadonlyMap<string, AverageRow>,
  expected: ReadonlyMap<string, AverageRow>,
): string[] {
  const found: string[] = [];
  for (const id of new Set([...expected.keys(), ...got.keys()])) {
    const [one, other] = [got.get(id), expected.get(id)];
    if (one === undefined || other === undefined) {
      found.push(`window ${nameOf(one ?? other)}: ${one === undefined ? "missing" : "the recount has none"}`);
      continue;
    }
    for (const field of ["readings", "temperature", "traffic", "airQuality"] as const) {
      if (!isClose(one[field], other[field]))
        found.push(`window ${nameOf(one)}: ${field} ${one[field]}, the recount says ${other[field]}`);
    }
  }
  return found;
}

/** As often as they came: one that came twice is a disagreement. */
export function alertDifferences(got: readonly AlertRow[], expected: readonly AlertRow[]): string[] {
  const times = new Map<string, { got: number; expected: number }>();
  const tally = (row: AlertRow, side: "got" | "expected") => {
    const id = `${row.sensor} in ${row.district}: ${row.kind} at ${isoOf(row.at)}, since ${isoOf(row.since)}`;
    const counts = times.get(id) ?? { got: 0, expected: 0 };
    counts[side]++;
    times.set(id, counts);
  };
  for (const row of got) tally(row, "got");
  for (const row of expected) tally(row, "expected");
  return [...times]
    .filter(([, counts]) => counts.got !== counts.expected)
    .map(([id, counts]) => `${id}: ${counts.got} times, the recount says ${counts.expected}`);
}

function isClose(a: number, b: number): boolean {
  return Math.abs(a - b) <= TOLERANCE * Math.max(1, Math.abs(a), Math.abs(b));
}

function nameOf(row: AverageRow | undefined): string {
  return row === undefined ? "" : `of ${row.district} from ${isoOf(row.start)}`;
}

function isoOf(time: number): string {
  return new Date(time).toISOString();
}
