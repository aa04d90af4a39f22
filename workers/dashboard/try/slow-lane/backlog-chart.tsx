/** BacklogChart: a queue's backlog over the last minute and a half, its mark, and when ingest refused. */
import type { JSX } from "preact";
import { formatNumber } from "../../parts/format.ts";
import type { Look, Scale } from "./backlog.ts";
import { pathOf, SPAN_MS, topOf, xOf, yOf } from "./backlog.ts";

export interface BacklogChartProps {
  readonly looks: readonly Look[];
  readonly highWater: number;
  /** When requests were refused, epoch ms. */
  readonly refusals: readonly number[];
  readonly now: number;
}

const WIDTH = 900;
const HEIGHT = 220;

export function BacklogChart({ looks, highWater, refusals, now }: BacklogChartProps): JSX.Element {
  const top = topOf(looks, highWater);
  const scale: Scale = { now, width: WIDTH, height: HEIGHT, top };
  const mark = yOf(highWater, scale);
  const line = pathOf(looks, scale);
  const seen = refusals.filter((at) => at > now - SPAN_MS);
  const waiting = looks.at(-1)?.messages;
  const label =
    waiting === undefined
      ? "Nothing is known of the queue yet."
      : `${formatNumber(waiting)} messages wait; the mark is ${highWater}; ${seen.length} requests were refused in the last ${SPAN_MS / 1_000} seconds.`;
  return (
    <figure class="try-chart">
      <div class="try-plot">
        <svg role="img" aria-label={label} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none">
          <rect class="try-over" x={0} y={0} width={WIDTH} height={mark} />
          {line === "" ? null : (
            <>
              <path
                class="try-area"
                d={`${line}L${WIDTH},${HEIGHT}L${xOf(looks[0]?.at ?? now, scale)},${HEIGHT}Z`}
              />
              <path class="try-curve" d={line} />
            </>
          )}
          {seen.map((at) => (
            <line class="try-refusal" x1={xOf(at, scale)} x2={xOf(at, scale)} y1={0} y2={mark} />
          ))}
          <line class="try-mark" x1={0} x2={WIDTH} y1={mark} y2={mark} />
        </svg>
        <span class="try-mark-label" style={{ top: `${(mark / HEIGHT) * 100}%` }}>
          {`mark ${highWater}: from here on 429`}
        </span>
      </div>
      <figcaption class="try-axis">
        <span>{`${SPAN_MS / 1_000} s ago`}</span>
        <span class="try-legend">
          <span class="try-key-curve">messages waiting</span>
          <span class="try-key-refusal">a request refused</span>
        </span>
        <span>now</span>
      </figcaption>
    </figure>
  );
}
