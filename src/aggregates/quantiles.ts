/** quantiles: medians, percentiles and the like of a number that each event carries, within 1 %. */
import { PlanError } from "../errors.ts";
import type { Aggregator } from "../operator.ts";
import { place, type Tally, tally, tallyBoth } from "./sorted.ts";
import { finite } from "./sum.ts";

/** How many values fell into which bin; those below zero by the bin of their magnitude. */
export interface QuantileSketch {
  zeros: number;
  readonly positive: Tally<number>;
  readonly negative: Tally<number>;
}

/** A DDSketch (arXiv:1908.10693): bin k holds what is in (γ^(k-1), γ^k]; its middle is within 1 % of all of that. */
const ACCURACY = 0.01;
const GAMMA = (1 + ACCURACY) / (1 - ACCURACY);
const LOG_GAMMA = Math.log(GAMMA);

/** Bins between the highest and the lowest of a sign: a factor of more than 10^17, in at most some 20 kB. */
const SPAN = 2048;

/** Magnitudes below it count as zero: there floating point itself is no longer exact to 1 %. */
const TINY = 1e-306;

/**
 * The quantiles `of` (from 0 to 1) of `value` over a key's events, like `{ p50: 12.1, p99: 80.3 }`. An event whose
 * value is not a finite number goes to dead letters.
 *
 * ```ts
 * requests
 *   .keyBy((request) => request.route)
 *   .aggregate("latency", quantiles((request) => request.ms, [0.5, 0.9, 0.99]))
 * ```
 *
 * Each is within 1 % of the value at that rank among all events, `of × (events - 1)` rounded down. Values more than
 * 10^17 times smaller than the largest of their sign are only known to be that small. The state does not depend on
 * `of`: other quantiles can be asked of it at any time. A key takes some 8 bytes for each 2 % step of magnitude that
 * its values are in.
 */
export function quantiles<In>(
  value: (data: In) => number,
  of: readonly number[],
): Aggregator<In, QuantileSketch, Record<string, number>> {
  const names = of.map(nameOf);
  return {
    signature: "quantiles@1",
    create: () => ({ zeros: 0, positive: [[], []], negative: [[], []] }),
    add: (sketch, event) => {
      const next = finite(value(event.data));
      const magnitude = Math.abs(next);
      if (magnitude < TINY) {
        sketch.zeros++;
        return sketch;
      }
      const side = next > 0 ? sketch.positive : sketch.negative;
      // Adding 0 turns -0, which JSON does not keep, into 0.
      tally(side, Math.ceil(Math.log(magnitude) / LOG_GAMMA) + 0, 1);
      collapse(side);
      return sketch;
    },
    merge: (left, right) => ({
      zeros: left.zeros + right.zeros,
      positive: collapse(tallyBoth(left.positive, right.positive)),
      negative: collapse(tallyBoth(left.negative, right.negative)),
    }),
    result: (sketch) =>
      Object.fromEntries(names.map((name, at) => [name, valueAt(sketch, of[at] as number)])),
  };
}

/** @throws PlanError unless it is a quantile. */
function nameOf(quantile: number): string {
  if (!(quantile >= 0 && quantile <= 1)) throw new PlanError(`quantiles: ${quantile} is not between 0 and 1`);
  // 0.57 * 100 is 56.99999999999999.
  return `p${Number((quantile * 100).toPrecision(12))}`;
}

/**
 * Counts what is more than SPAN bins below the highest into the lowest bin that is left. That one depends on the
 * highest of all values alone, so any grouping ends in the same bins.
 */
function collapse(side: Tally<number>): Tally<number> {
  const [bins, counts] = side;
  const lowest = (bins.at(-1) ?? 0) - SPAN + 1;
  const below = place(bins, lowest);
  if (below === 0) return side;
  bins.splice(0, below);
  let n = 0;
  for (const count of counts.splice(0, below)) n += count;
  tally(side, lowest, n);
  return side;
}

/** The value at a quantile; 0 when there are none. */
function valueAt({ zeros, positive, negative }: QuantileSketch, quantile: number): number {
  const rank = quantile * (total(negative) + zeros + total(positive) - 1);
  let seen = 0;
  // Below zero, the largest magnitude comes first.
  for (let at = negative[0].length - 1; at >= 0; at--) {
    seen += negative[1][at] as number;
    if (seen > rank) return -middleOf(negative[0][at] as number);
  }
  seen += zeros;
  if (seen > rank) return 0;
  for (let at = 0; at < positive[0].length; at++) {
    seen += positive[1][at] as number;
    if (seen > rank) return middleOf(positive[0][at] as number);
  }
  return 0;
}

function total([, counts]: Tally<number>): number {
  let sum = 0;
  for (const count of counts) sum += count;
  return sum;
}

/** The value of a bin that is within 1 % of both its ends: 2γ^k / (γ + 1). */
function middleOf(bin: number): number {
  return Math.min(Math.exp(bin * LOG_GAMMA + Math.log(2 / (GAMMA + 1))), Number.MAX_VALUE);
}
