/** Sessions: what the sessions of a view must be, given which elements they hold. */
import type { TimedRow } from "./expected.ts";
import type { ViewWindow } from "./places.ts";
import { compareRange, grouped, placeOf, tallyRows } from "./places.ts";
import type { WindowSpec } from "./spec.ts";
import { same, Violation } from "./violation.ts";

interface Element {
  readonly time: number;
  /** Behind, at its door: whether sessions before it still were open depends on what came first. */
  readonly isBehind: boolean;
}

/**
 * Each element that is on time by itself is in exactly one session; one that is not may have found one that was open. A
 * session is one chain of elements, and as long as they say; and two that touch would be one, unless something came behind.
 *
 * @throws Violation that says what is wrong.
 */
export function compareSessions(
  { name, size, lateness }: WindowSpec,
  rows: readonly TimedRow[],
  view: readonly ViewWindow[],
): void {
  const byKey = grouped(view, ({ key }) => key);
  const rowsByKey = grouped(rows, ({ key }) => key);
  for (const key of new Set([...byKey.keys(), ...rowsByKey.keys()])) {
    const own = rowsByKey.get(key) ?? [];
    const got = new Map<string, number>();
    const sessions = (byKey.get(key) ?? []).toSorted((a, b) => a.start - b.start || a.end - b.end);
    for (const { value } of sessions) {
      if (typeof value === "number") return;
      for (const [id, n] of value) got.set(id, (got.get(id) ?? 0) + n);
    }
    const sure = own.filter(({ time, high }) => time + size - 1 + lateness > high);
    compareRange(`${name}, sessions of ${key}`, got, tallyRows(sure), tallyRows(own));
    const elements = new Map<string, Element>();
    for (const { id, time, high } of own) {
      const isBehind = time <= high + 1 || elements.get(id)?.isBehind === true;
      elements.set(id, { time, isBehind });
    }
    let before: { readonly end: number; readonly isBehind: boolean } | undefined;
    for (const { start, end, value } of sessions) {
      const ids = typeof value === "number" ? [] : value.map(([id]) => id);
      const chain = ids.map((id) => elements.get(id) as Element).sort((a, b) => a.time - b.time);
      same(
        `${name}: the session of ${ids.join(", ")}`,
        placeOf(key, start, end),
        spanOf(name, key, chain, size),
      );
      const isBehind = chain.some((one) => one.isBehind);
      if (before !== undefined && start <= before.end && !isBehind && !before.isBehind)
        throw new Violation(`${name}: the session ${placeOf(key, start, end)} touches the one before it`);
      before = { end, isBehind };
    }
  }
}

/** The session that a chain of elements makes. */
function spanOf(name: string, key: string, chain: readonly Element[], size: number): string {
  const start = chain[0]?.time ?? 0;
  let end = start + size;
  for (const { time } of chain) {
    if (time > end) throw new Violation(`${name}: a session of ${key} has a gap from ${end} to ${time}`);
    end = Math.max(end, time + size);
  }
  return placeOf(key, start, end);
}
