/** Axis: where a time axis ends and has its marks, so that they are at round times. */

export interface Marks {
  /** Where the axis ends, ms. */
  readonly end: number;
  /** Where its marks are, ms, from 0 to the end. */
  readonly at: readonly number[];
}

const MOST_STEPS = 5;
const ROUND = [1, 2, 5];
const LEAST_STEP_MS = 10;

/** The shortest axis with few round steps that `ms` fits on. */
export function marksFor(ms: number): Marks {
  for (let scale = LEAST_STEP_MS; ; scale *= 10) {
    for (const round of ROUND) {
      const step = round * scale;
      const steps = Math.max(1, Math.ceil(ms / step));
      if (steps <= MOST_STEPS)
        return { end: steps * step, at: Array.from({ length: steps + 1 }, (_, n) => n * step) };
    }
  }
}
