/** WindowsChart: bars over time, one a window, its largest keys told apart; and the same as a sentence and as a table. */
import type { JSX } from "preact";
import { useCallback, useMemo, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { formatCompact, formatNumber } from "../parts/format.ts";
import { KeyText } from "../parts/key-text.tsx";
import { Table } from "../parts/table.tsx";
import { Time } from "../parts/time.tsx";
import { AsTable } from "./as-table.tsx";
import type { Bars, WindowRow } from "./history.ts";
import { barsOf } from "./history.ts";
import type { Ink } from "./ink.ts";
import { PARTS } from "./ink.ts";
import { Plot } from "./plot.tsx";
import { upwards } from "./scale.ts";
import { stateOf } from "./window-head.tsx";

export interface WindowsChartProps {
  readonly rows: readonly WindowRow[];
  readonly stepMs: number;
  readonly from: number;
  readonly until: number;
  /** The keys to tell apart, as many as there are colours for; undefined for one colour and no legend. */
  readonly keys?: readonly string[];
  /** What a bar counts: `views per minute`. */
  readonly label: string;
}

export function WindowsChart(props: WindowsChartProps): JSX.Element {
  const { rows, stepMs, from, until, label } = props;
  // Once a step is enough for the right end, and a name that stays keeps the colours where they are.
  const end = Math.floor(until / stepMs) * stepMs;
  const begin = Math.floor(from / stepMs) * stepMs;
  const names = JSON.stringify((props.keys ?? []).slice(0, PARTS - 1));
  const keys = useMemo(() => JSON.parse(names) as string[], [names]);
  const bars = useMemo(
    () => barsOf(rows, stepMs, keys, { from: begin, until: end }),
    [rows, stepMs, keys, begin, end],
  );
  const parts = bars.parts.length;
  const [pointed, setPointed] = useState<number>();
  const overs = useRef(bars.over);
  overs.current = bars.over;
  const data = useMemo(() => stacked(bars), [bars]);
  const options = useCallback(
    (ink: Ink) => ({
      scales: {
        x: { range: (_: uPlot, min: number, max: number): uPlot.Range.MinMax => [min, max + stepMs] },
        y: { range: upwards },
      },
      series: [
        {},
        ...Array.from({ length: parts }, (_, i) => barSeries(ink, colourAt(parts - 1 - i, parts), overs)),
      ],
    }),
    [stepMs, parts],
  );
  return (
    <figure class="ov-chart">
      <figcaption>
        <span class="ov-chart-label">{label}</span>
        <Readout bars={bars} at={pointed ?? bars.starts.length - 1} stepMs={stepMs} />
      </figcaption>
      <Plot data={data} options={options} onPoint={setPointed} />
      {props.keys === undefined ? null : (
        <Legend keys={keys} rest={(bars.parts.at(-1) ?? []).some((n) => n > 0)} />
      )}
      <AsTable>{() => <BarsTable bars={bars} keys={keys} label={label} stepMs={stepMs} />}</AsTable>
    </figure>
  );
}

function BarsTable(props: {
  readonly bars: Bars;
  readonly keys: readonly string[];
  readonly label: string;
  readonly stepMs: number;
}): JSX.Element {
  const { bars, keys, label, stepMs } = props;
  const form = stepMs < 60_000 ? "clock" : "minute";
  return (
    <Table
      caption={label}
      rows={bars.starts.map((start, i) => ({ start, i })).reverse()}
      rowId={({ start }) => String(start)}
      columns={[
        { header: "From", cell: ({ start }) => <Time at={start} form={form} /> },
        ...keys.map((key, part) => ({
          header: <KeyText text={key} max={24} />,
          cell: ({ i }: { i: number }) => formatNumber(bars.parts[part]?.[i] ?? 0),
          numeric: true,
        })),
        { header: "In all", cell: ({ i }) => formatNumber(bars.sums[i] ?? 0), numeric: true },
        { header: "State", cell: ({ i }) => stateOf(bars.over[i] === true, bars.final[i] === true) },
      ]}
    />
  );
}

/** The rest is drawn in the last colour, however few parts there are; one part alone in the first. */
function colourAt(part: number, parts: number): number {
  return parts > 1 && part === parts - 1 ? PARTS - 1 : part;
}

/** The last window, or the one pointed at. Its line is there when it says nothing, so that nothing jumps. */
function Readout({
  bars,
  at,
  stepMs,
}: {
  readonly bars: Bars;
  readonly at: number;
  readonly stepMs: number;
}) {
  const start = bars.starts[at];
  if (start === undefined) return <span class="ov-readout">&nbsp;</span>;
  const form = stepMs < 60_000 ? "clock" : "minute";
  return (
    <span class="ov-readout">
      <Time at={start} form={form} />–<Time at={start + stepMs} form={form} />:{" "}
      <strong title={formatNumber(bars.sums[at] ?? 0)}>{formatCompact(bars.sums[at] ?? 0)}</strong>
      {bars.over[at] ? "" : " so far"}
    </span>
  );
}

function Legend({ keys, rest }: { readonly keys: readonly string[]; readonly rest: boolean }): JSX.Element {
  return (
    <ul class="ov-legend" aria-label="Colours">
      {keys.map((key, i) => (
        <li key={key}>
          <span class={`ov-swatch ov-swatch-${i + 1}`} aria-hidden="true" />
          <KeyText text={key} max={28} />
        </li>
      ))}
      {rest ? (
        <li>
          <span class={`ov-swatch ov-swatch-${PARTS}`} aria-hidden="true" />
          others
        </li>
      ) : null}
    </ul>
  );
}

/** The first part at the bottom; drawn from the highest bar on, so that each lies before the one it is a part of. */
function stacked({ starts, parts }: Bars): uPlot.AlignedData {
  const heights = starts.map(() => 0);
  const layers = parts.map((part) => part.map((n, i) => (heights[i] = (heights[i] ?? 0) + n)));
  return [[...starts], ...layers.reverse()];
}

function barSeries(
  { parts, open }: Ink,
  colour: number,
  overs: { readonly current: readonly boolean[] },
): uPlot.Series {
  const fill = parts[colour] ?? "";
  const lighter = open[colour] ?? "";
  const colours = () => overs.current.map((over) => (over ? fill : lighter));
  const paths = uPlot.paths.bars?.({
    size: [0.78, 64],
    align: 1,
    disp: { fill: { unit: 3, values: colours }, stroke: { unit: 3, values: colours } },
  });
  return { fill, width: 0, points: { show: false }, ...(paths === undefined ? {} : { paths }) };
}
