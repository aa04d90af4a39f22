/** Rates: what a slider's positions stand for, finer where they are few. */

/** The last position; the first is 0. */
export const STEPS = 100;

/** From 1 to `max`, each step as many times more as the one before, in numbers of two digits. */
export function rateOf(position: number, max: number): number {
  const rate = max ** (position / STEPS);
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(rate)) - 1);
  return Math.min(max, Math.max(1, Math.round(rate / unit) * unit));
}

export function positionOf(rate: number, max: number): number {
  return Math.round((Math.log(rate) / Math.log(max)) * STEPS);
}
