/** Panes: what a window has given off, held against its view: which panes there must be, and what they add up to. */
import type { TimedContent, TimedRow } from "./expected.ts";
import type { ViewWindow } from "./places.ts";
import { compareRange, countsOf, grouped, placeOf, tallyRows, windowsOf } from "./places.ts";
import type { Datum, PaneDatum } from "./semantics.ts";
import { paneId } from "./semantics.ts";
import type { WindowSpec } from "./spec.ts";
import { same, Violation } from "./violation.ts";

const TIMINGS = ["early", "on-time", "late"] as const;

/** @throws Violation that says what is wrong. */
export function comparePanes(
  { rows, closes }: TimedContent,
  node: WindowSpec,
  view: readonly ViewWindow[],
  written: readonly Datum[],
): void {
  const { name, fn, early, lateness, discarding } = node;
  const isPlain = early === undefined && lateness === 0;
  const panes = new Map<string, PaneDatum[]>();
  for (const { id, key, pane } of written) {
    if (pane === undefined || id !== paneId(name, key, pane))
      throw new Violation(`${name}: ${id} is no pane`);
    const place = placeOf(key, pane.start, pane.end);
    panes.set(place, [...(panes.get(place) ?? []), pane]);
  }
  // Sessions that have been shown may have become part of others since.
  if (fn === "session" && !isPlain) return;
  const values = new Map(view.map(({ key, start, end, value }) => [placeOf(key, start, end), value]));
  for (const place of panes.keys())
    if (!values.has(place)) throw new Violation(`${name}: a pane of ${place}, which is no window`);
  const onTime = fn === "session" ? new Map<string, TimedRow[]>() : rowsOnTime(node, rows);
  for (const [place, value] of values) {
    const own = (panes.get(place) ?? []).sort((a, b) => a.index - b.index);
    const what = `${name}, panes of ${place}`;
    inOrder(what, own);
    const first = own.filter(({ timing }) => timing === "on-time");
    if (!closes) continue;
    if (isPlain)
      same(
        what,
        own.map(({ timing }) => timing),
        ["on-time"],
      );
    if (discarding) addUp(what, own, countsOf(value));
    else grow(what, own, value);
    const expected = onTime.get(place) ?? [];
    if (expected.length === 0) continue;
    if (!discarding) same(`${what}, on time`, first.length, 1);
    const upTo = own.filter(({ timing }) => timing !== "late");
    const shown = discarding ? sumOf(upTo) : countsOf(first[0]?.value ?? []);
    if (node.keeps === "ids") compareRange(`${what}, on time`, shown, tallyRows(expected), countsOf(value));
  }
}

/** By window, the elements that came before it had ended, however long they took. */
function rowsOnTime(node: WindowSpec, rows: readonly TimedRow[]): Map<string, TimedRow[]> {
  const places = rows.flatMap((row) =>
    windowsOf({ ...node, lateness: 0 }, row)
      .filter(({ deadline }) => deadline > row.high)
      .map(({ place }) => ({ place, row })),
  );
  return new Map(
    [...grouped(places, ({ place }) => place)].map(([place, own]) => [place, own.map(({ row }) => row)]),
  );
}

/** Numbered without gaps, each once; early ones come first, late ones last. */
function inOrder(what: string, panes: readonly PaneDatum[]): void {
  same(
    `${what}, numbers`,
    panes.map(({ index }) => index),
    panes.map((_, n) => n),
  );
  const timings = panes.map(({ timing }) => TIMINGS.indexOf(timing));
  same(`${what}, timings`, timings, timings.toSorted());
  if (timings.filter((one) => one === 1).length > 1) throw new Violation(`${what}: it was on time twice`);
}

/** Accumulating panes: each knows the one before, and the last one is what the view has. */
function grow(what: string, panes: readonly PaneDatum[], value: ViewWindow["value"]): void {
  same(`${what}, last`, panes.at(-1)?.value, value);
  panes.forEach(({ previous }, n) => {
    same(`${what}, previous of ${n}`, previous, n === 0 ? undefined : panes[n - 1]?.value);
  });
}

/** Discarding panes: together they are what the view has. */
function addUp(what: string, panes: readonly PaneDatum[], value: ReadonlyMap<string, number>): void {
  compareRange(`${what}, together`, sumOf(panes), value, value);
}

function sumOf(panes: readonly PaneDatum[]): Map<string, number> {
  const sum = new Map<string, number>();
  for (const { value } of panes) for (const [id, n] of countsOf(value)) sum.set(id, (sum.get(id) ?? 0) + n);
  return sum;
}
