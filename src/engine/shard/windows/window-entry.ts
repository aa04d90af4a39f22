/** WindowEntry: what a shard keeps of one key in one window, as one stored value. */
import type { Aggregate } from "../../../operator.ts";
import { copyOf, storable } from "../../accumulator.ts";

/**
 * `accumulator` of all that came; `pending` events since it fired last; `panes` fired so far; with discarding panes the
 * accumulator of what is pending (null when nothing is); what it fired last (means nothing before the first pane); and when
 * what is pending is to be shown in processing time, epoch milliseconds. JSON; fields are only ever appended.
 */
export type WindowEntry = readonly [
  accumulator: unknown,
  pending: number,
  panes: number,
  pane?: unknown,
  fired?: unknown,
  due?: number,
];

/** Folds an event, or a partial accumulator, into an accumulator of which it may change a copy. */
export type Fold = (accumulator: unknown) => unknown;

/**
 * The entry after `n` more events.
 *
 * @throws what the fold throws, and TypeError or RangeError when what it gives cannot be stored.
 */
export function folded(
  aggregate: Aggregate<unknown, unknown, unknown>,
  old: WindowEntry | undefined,
  fold: Fold,
  n: number,
  discarding: boolean,
): WindowEntry {
  const [accumulator, pending = 0, panes = 0, pane = null, fired, due] = old ?? [];
  const all = storable(fold(accumulator === undefined ? aggregate.create() : copyOf(accumulator)));
  if (!discarding) return packed([all, pending + n, panes, null], fired, due);
  const part = storable(fold(pane === null ? aggregate.create() : copyOf(pane)));
  return packed([all, pending + n, panes, part], fired, due);
}

/** Two sessions that have become one: what is pending is shown when the first of them would have been. */
export function merged(
  aggregate: Aggregate<unknown, unknown, unknown>,
  a: WindowEntry,
  b: WindowEntry,
): WindowEntry {
  const [accA, pendingA, panesA, paneA = null, firedA, dueA] = a;
  const [accB, pendingB, panesB, paneB = null, firedB, dueB] = b;
  const both = (left: unknown, right: unknown) => storable(aggregate.merge(copyOf(left), right));
  const pane = paneA === null ? paneB : paneB === null ? paneA : both(paneA, paneB);
  const due = dueA === undefined || dueB === undefined ? (dueA ?? dueB) : Math.min(dueA, dueB);
  const all = both(accA, accB);
  return packed([all, pendingA + pendingB, Math.max(panesA, panesB), pane], firedA ?? firedB, due);
}

/** After a pane with this result. */
export function afterFiring([accumulator, , panes]: WindowEntry, result: unknown): WindowEntry {
  return packed([accumulator, 0, panes + 1, null], result);
}

/** What is pending is to be shown at this time. */
export function withDue(
  [accumulator, pending, panes, pane = null, fired]: WindowEntry,
  due: number,
): WindowEntry {
  return packed([accumulator, pending, panes, pane], fired, due);
}

function packed(
  entry: readonly [accumulator: unknown, pending: number, panes: number, pane: unknown],
  fired: unknown,
  due?: number,
): WindowEntry {
  // JSON has no gaps.
  if (due !== undefined) return [...entry, fired ?? null, due];
  if (fired !== undefined) return [...entry, fired];
  return entry[3] === null ? [entry[0], entry[1], entry[2]] : entry;
}
