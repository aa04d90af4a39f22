/** Bars: a ranking, each value with a bar as long as its share of the largest. */
import type { ComponentChildren, JSX } from "preact";
import { formatNumber } from "./format.ts";

export interface BarRow {
  readonly id: string;
  readonly label: ComponentChildren;
  readonly value: number;
  /** How the value is written; as a number by default. */
  readonly text?: string;
  readonly href?: string;
}

export interface BarsProps {
  readonly rows: readonly BarRow[];
  /** What the list is, for those who do not see it. */
  readonly label: string;
  /** Ids of rows that have just changed. */
  readonly changed?: ReadonlySet<string>;
  /** What a whole bar stands for; the largest value by default. */
  readonly max?: number;
}

export function Bars({ rows, label, changed, max }: BarsProps): JSX.Element {
  const largest = max ?? Math.max(0, ...rows.map(({ value }) => value));
  return (
    <ol class="bars" aria-label={label}>
      {rows.map((row) => (
        <li key={row.id} class={`bar ${changed?.has(row.id) ? "bar-changed" : ""}`}>
          <span class="bar-fill" aria-hidden="true" style={{ width: `${share(row.value, largest)}%` }} />
          <span class="bar-label">
            {row.href === undefined ? row.label : <a href={row.href}>{row.label}</a>}
          </span>
          <span class="bar-value">{row.text ?? formatNumber(row.value)}</span>
        </li>
      ))}
    </ol>
  );
}

function share(value: number, largest: number): number {
  return largest > 0 && value > 0 ? Math.min(100, (value / largest) * 100) : 0;
}
