/** Figures: how much a view has counted, how fast that grows, and under how many keys. */
import type { JSX } from "preact";
import { formatCompact, formatNumber, formatRate } from "../parts/format.ts";
import { Stat } from "../parts/stat.tsx";
import type { TotalState } from "./use-total.ts";

export interface FiguresProps {
  readonly state: TotalState;
}

export function Figures({ state }: FiguresProps): JSX.Element {
  const { total, perSecond } = state;
  return (
    <dl class="stats ov-figures">
      <Stat
        label="Total"
        value={
          total === undefined ? (
            "–"
          ) : (
            <data value={total.total} title={formatNumber(total.total)}>
              {total.total < 10_000_000 ? formatNumber(total.total) : formatCompact(total.total)}
            </data>
          )
        }
        {...(total?.overflow !== undefined && {
          hint: `and ${formatNumber(total.overflow)} beyond the view's limit of keys`,
        })}
      />
      <Stat label="Now" value={perSecond === undefined ? "–" : formatRate(perSecond)} unit="/s" />
      <Stat
        label="Keys"
        value={
          total === undefined ? (
            "–"
          ) : (
            <data value={total.keys} title={formatNumber(total.keys)}>
              {formatCompact(total.keys)}
            </data>
          )
        }
      />
    </dl>
  );
}
