/** Sparkline: how a number went lately, as small as a word. */
import type { JSX } from "preact";

export interface SparklineProps {
  readonly values: readonly number[];
  /** What it shows, for those who do not see it. */
  readonly label: string;
  readonly width?: number;
  readonly height?: number;
}

export function Sparkline({ values, label, width = 120, height = 28 }: SparklineProps): JSX.Element {
  const top = Math.max(1, ...values);
  const step = width / Math.max(1, values.length - 1);
  const points = values.map(
    (value, i) => `${round(i * step)},${round(height - 1 - (value / top) * (height - 2))}`,
  );
  const line = points.join(" ");
  return (
    <svg
      class="sparkline"
      role="img"
      aria-label={label}
      viewBox={`0 0 ${width} ${height}`}
      width={width}
      height={height}
    >
      {values.length < 2 ? null : (
        <>
          <polygon class="sparkline-area" points={`0,${height} ${line} ${width},${height}`} />
          <polyline class="sparkline-line" points={line} />
        </>
      )}
    </svg>
  );
}

function round(n: number): number {
  return Math.round(n * 10) / 10;
}
