/** Timeline: each visit of a race as a bar on an axis of time, as it happens. */
import type { JSX } from "preact";
import type { Marks } from "./axis.ts";
import type { Visit } from "./race.ts";

export interface TimelineProps {
  readonly visits: readonly Visit[];
  /** Rows that there will be, so that the page does not jump while they come. */
  readonly rows: number;
  readonly marks: Marks;
  /** The present moment of a race that is under way, ms from its start. */
  readonly now?: number;
  /** What of each wait is its own work, ms; 0 where the work is not done while the visitor waits. */
  readonly workMs: number;
  /** What it shows, for those who do not see it. */
  readonly label: string;
}

const ROW = 8;
const BAR = 5;

export function Timeline({ visits, rows, marks, now, workMs, label }: TimelineProps): JSX.Element {
  const { end, at } = marks;
  const x = (ms: number) => `${Math.min(100, (ms / end) * 100)}%`;
  const width = (from: number, to: number) => `${Math.max(0.3, ((Math.min(to, end) - from) / end) * 100)}%`;
  return (
    <svg class="timeline" role="img" aria-label={label} width="100%" height={rows * ROW + 2}>
      {at.slice(1, -1).map((ms) => (
        <line key={ms} class="timeline-grid" x1={x(ms)} x2={x(ms)} y1="0" y2="100%" />
      ))}
      {visits.map(({ n, began, answered, counted }) => {
        const y = n * ROW + (ROW - BAR) / 2;
        const until = answered ?? Math.max(began, now ?? began);
        const work = answered === undefined ? until : Math.max(began, answered - workMs);
        const behind = answered === undefined ? undefined : (counted ?? now);
        return (
          <g key={n}>
            {behind === undefined || behind <= until ? null : (
              <rect
                class="timeline-behind"
                x={x(until)}
                width={width(until, behind)}
                y={y + BAR / 2 - 0.5}
                height="1"
              />
            )}
            <rect class="timeline-wait" x={x(began)} width={width(began, until)} y={y} height={BAR} rx="1" />
            {workMs === 0 || answered === undefined ? null : (
              <rect class="timeline-work" x={x(work)} width={width(work, until)} y={y} height={BAR} rx="1" />
            )}
            {counted === undefined ? null : (
              <circle class="timeline-counted" cx={x(counted)} cy={y + BAR / 2} r="2.5" />
            )}
          </g>
        );
      })}
    </svg>
  );
}

/** The axis under the bars. */
export function Axis({ at }: Marks): JSX.Element {
  return (
    <div class="timeline-axis" aria-hidden="true">
      {at.map((ms) => (
        <span key={ms}>{ms === 0 ? "0" : ms < 1000 ? `${ms} ms` : `${ms / 1000} s`}</span>
      ))}
    </div>
  );
}
