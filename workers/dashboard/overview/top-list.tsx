/** TopList: keys by their values, whose bars grow and whose rows change places as they do. */
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { formatCompact, formatNumber } from "../parts/format.ts";
import { KeyText } from "../parts/key-text.tsx";
import { link } from "../route.ts";
import { useGlide } from "./glide.ts";
import type { Ranked } from "./shape.ts";
import { useMarks } from "./use-marks.ts";

export interface TopListProps {
  /** What it ranks, for those who do not see it. */
  readonly label: string;
  readonly entries: readonly Ranked[];
  /** The view whose keys they are, each with a page of its own; undefined where they are not keys. */
  readonly view?: string;
  /** Keys that the last change touched. */
  readonly changed?: ReadonlySet<string>;
  /** Rows that it has room for, filled or not, so that nothing below it moves. */
  readonly rows: number;
}

const NONE: ReadonlySet<string> = new Set();

export function TopList({ label, entries, view, changed = NONE, rows }: TopListProps): JSX.Element {
  const list = useRef<HTMLOListElement>(null);
  const marks = useMarks(changed);
  useGlide(list);
  const most = Math.max(0, ...entries.map(({ value }) => value));
  return (
    <ol ref={list} class="ov-top" aria-label={label} style={{ "--ov-rows": rows }}>
      {entries.map(({ key, value }, i) => (
        <li
          key={`k${key}`}
          data-row={key}
          class={`ov-row ${marks.has(key) ? "ov-row-new" : ""}`}
          // Who passes goes in front.
          style={{ zIndex: entries.length - i }}
        >
          <span
            class="ov-bar"
            aria-hidden="true"
            style={{ transform: `scaleX(${most > 0 ? Math.max(0, value / most) : 0})` }}
          />
          <span class="ov-rank" aria-hidden="true">
            {i + 1}
          </span>
          <span class="ov-name">
            {view === undefined ? (
              <KeyText text={key} />
            ) : (
              <a href={link({ page: "key", view, key })}>
                <KeyText text={key} />
              </a>
            )}
          </span>
          <data class="ov-count" value={value} title={formatNumber(value)}>
            {formatCompact(value)}
          </data>
        </li>
      ))}
    </ol>
  );
}
