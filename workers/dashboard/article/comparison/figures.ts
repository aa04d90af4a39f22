/** Figures: what a race comes to: what its visitors waited, and how fast it went. */
import type { Visit } from "./race.ts";

export interface Figures {
  readonly answers: number;
  readonly refusals: number;
  /** What a visitor waited for his answer, ms: half of them at most this, and nineteen of twenty. */
  readonly p50?: number;
  readonly p95?: number;
  /** Answers per second. */
  readonly perSecond?: number;
  /** When the last visit that was counted was, ms from the start; undefined while one is missing. */
  readonly allCounted?: number;
}

export function figuresOf(visits: readonly Visit[]): Figures {
  const answered = visits.flatMap((visit) =>
    visit.answered === undefined ? [] : [{ ...visit, at: visit.answered }],
  );
  const waits = answered.map(({ began, at }) => at - began);
  const refusals = visits.reduce((sum, visit) => sum + visit.refusals, 0);
  const last = Math.max(...answered.map(({ at }) => at));
  const counted = visits.flatMap((visit) => (visit.counted === undefined ? [] : [visit.counted]));
  return {
    answers: answered.length,
    refusals,
    ...(answered.length === 0
      ? {}
      : {
          p50: quantile(waits, 0.5),
          p95: quantile(waits, 0.95),
          perSecond: (answered.length / last) * 1000,
        }),
    ...(visits.length > 0 && counted.length === visits.length ? { allCounted: Math.max(...counted) } : {}),
  };
}

/** By nearest rank: a value that was really there. @param values at least one. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] as number;
}

/** When the last thing that is known of a race happened, ms from its start. */
export function endOf(visits: readonly Visit[]): number {
  return Math.max(
    0,
    ...visits.map(({ began, answered = began, counted = answered }) => Math.max(answered, counted)),
  );
}

/** What can be read off two finished races, good and bad. */
export function verdictOf(synchronous: Figures, stream: Figures): string[] {
  const { p50: waited, allCounted: done } = synchronous;
  const { p50: accepted, allCounted: counted } = stream;
  if (waited === undefined || accepted === undefined) return [];
  const ratio = waited / accepted;
  const verdict = [
    ratio >= 1.2
      ? `At the median a visitor of the stream waited ${times(ratio)} less.`
      : ratio <= 1 / 1.2
        ? `At the median a visitor of the synchronous backend waited ${times(1 / ratio)} less: here it took longer to take a visit in than to do its work.`
        : "At the median both visitors waited about the same.",
  ];
  if (done !== undefined && counted !== undefined) {
    verdict.push(
      counted > done * 1.1
        ? "The result was there sooner in the synchronous backend: it comes with the answer, while behind a queue it comes when its turn is."
        : "The last result was there about as soon, or sooner, behind the queue; but only a ticket, or the view, tells when.",
    );
  }
  if (stream.refusals > 0) {
    verdict.push(
      "The stream answered 429 while too much waited: its queue has a mark, and past it visitors do wait, on purpose.",
    );
  }
  return verdict;
}

function times(ratio: number): string {
  return `${ratio < 10 ? ratio.toFixed(1) : Math.round(ratio)} times`;
}
