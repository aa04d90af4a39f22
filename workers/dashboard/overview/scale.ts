/** Scale: how high a chart is. */
import type uPlot from "uplot";

/** From zero up to a round number: bars that start anywhere else lie. */
export function upwards(_plot: unknown, _min: number, max: number): uPlot.Range.MinMax {
  return [0, roundUp(max)];
}

const ROUND = [1, 1.5, 2, 3, 4, 5, 6, 8, 10];

/** Of few numbers, so that the scale seldom changes while the last bar grows. */
export function roundUp(n: number): number {
  if (!(n > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(n));
  return (ROUND.find((times) => times * power >= n) ?? 10) * power;
}
