/** Compare: where a run and the recount disagree. */
import type { Recount } from "./recount.ts";
import type { RunResult } from "./run.ts";

/** One line for each disagreement; empty when there is none. */
export function differences(run: RunResult, expected: Recount): string[] {
  const found: string[] = [];
  for (const id of new Set([...run.counts.keys(), ...expected.counts.keys()])) {
    const [got = 0, wanted = 0] = [run.counts.get(id), expected.counts.get(id)];
    if (got !== wanted) found.push(`window ${id}: ${got}, the recount says ${wanted}`);
  }
  const late = new Map<number, number>();
  for (const number of run.late) late.set(number, (late.get(number) ?? 0) + 1);
  for (const number of new Set([...late.keys(), ...expected.late])) {
    const [got = 0, wanted] = [late.get(number), expected.late.has(number) ? 1 : 0];
    if (got !== wanted) found.push(`line ${number + 1}: ${got} times late, the recount says ${wanted}`);
  }
  if (run.repeated > 0) found.push(`${run.repeated} windows fired more than once for a path`);
  return found;
}
