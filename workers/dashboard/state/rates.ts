/** Rates: events a second, from how much the counters of the last few healths have grown. */
import type { Flow, Health } from "../api/types.ts";

export interface Rates {
  /** Events that a source has taken in, a second. */
  accepted(source: string): number;
  /** Events that an operator has applied from a source or another operator, a second. */
  applied(source: string, operator: string): number;
  /** Of all sources. */
  readonly total: number;
}

/** The counters of one look, and when it was taken, by one clock for all of them. */
export interface Sample {
  readonly at: number;
  readonly accepted: ReadonlyMap<string, number>;
  readonly applied: ReadonlyMap<string, number>;
}

const WINDOW_MS = 5_000;

export function sampleOf({ at, flows }: Pick<Health, "at" | "flows">): Sample {
  const accepted = new Map<string, number>();
  const applied = new Map<string, number>();
  for (const flow of flows) {
    // Each of its readers counts what the source took in for it: the one that gets most gets all, or nearly.
    accepted.set(flow.source, Math.max(accepted.get(flow.source) ?? 0, flow.accepted));
    applied.set(edge(flow), flow.applied);
  }
  return { at: Date.parse(at), accepted, applied };
}

/** Keeps what the next rates need: the samples of the last seconds, and one before them. */
export function remember(samples: readonly Sample[], next: Sample): readonly Sample[] {
  const last = samples.at(-1);
  if (last !== undefined && next.at <= last.at) return [...samples.slice(0, -1), next];
  const begin = samples.findLastIndex(({ at }) => at <= next.at - WINDOW_MS);
  return [...samples.slice(Math.max(begin, 0)), next];
}

/** @param now by the clock of the samples: as nothing is sent while nothing changes, silence lowers the rates. */
export function ratesOf(samples: readonly Sample[], now: number, sources?: readonly string[]): Rates {
  const last = samples.at(-1);
  const begin = Math.max(
    samples.findLastIndex(({ at }) => at <= now - WINDOW_MS),
    0,
  );
  const first = samples[begin];
  const rate = (pick: (sample: Sample) => number | undefined) => {
    if (first === undefined || last === undefined || first === last) return 0;
    const [before, after] = [pick(first), pick(last)];
    if (before === undefined || after === undefined) return 0;
    // A counter that falls was begun anew, by another deployment.
    return Math.max(0, after - before) / Math.max(1, (Math.max(now, last.at) - first.at) / 1000);
  };
  const accepted = (source: string) => rate((sample) => sample.accepted.get(source));
  const names = sources ?? [...(last?.accepted.keys() ?? [])];
  return {
    accepted,
    applied: (source, operator) => rate((sample) => sample.applied.get(edge({ source, operator }))),
    total: names.reduce((sum, source) => sum + accepted(source), 0),
  };
}

function edge({ source, operator }: Pick<Flow, "source" | "operator">): string {
  return `${source}\n${operator}`;
}
