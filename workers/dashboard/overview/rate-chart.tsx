/** RateChart: how fast a total has grown since the page was opened. */
import type { JSX } from "preact";
import { useCallback, useMemo, useState } from "preact/hooks";
import type uPlot from "uplot";
import { formatRate } from "../parts/format.ts";
import { Table } from "../parts/table.tsx";
import { Time } from "../parts/time.tsx";
import { AsTable } from "./as-table.tsx";
import type { Ink } from "./ink.ts";
import { Plot } from "./plot.tsx";
import type { Sample } from "./rate-meter.ts";
import { upwards } from "./scale.ts";

export interface RateChartProps {
  readonly curve: readonly Sample[];
  readonly label: string;
}

/** At least so much time is on it, ms: the first seconds are not to fill it. */
const SPAN_MS = 120_000;

export function RateChart({ curve, label }: RateChartProps): JSX.Element {
  const [pointed, setPointed] = useState<number>();
  const last = curve.at(-1);
  const data = useMemo<uPlot.AlignedData>(
    () => [curve.map(({ time }) => time), curve.map(({ value }) => value)],
    [curve],
  );
  const at = (pointed === undefined ? last : curve[pointed]) ?? last;
  return (
    <figure class="ov-chart">
      <figcaption>
        <span class="ov-chart-label">{label}</span>
        <span class="ov-readout">
          {at === undefined ? (
            "begins with the next second"
          ) : (
            <>
              <Time at={at.time} />: <strong>{formatRate(at.value)}</strong>/s
            </>
          )}
        </span>
      </figcaption>
      <Plot data={data} options={useCallback(line, [])} onPoint={setPointed} />
      <AsTable>
        {() => (
          <Table
            caption={label}
            rows={curve.filter((_, i) => (curve.length - 1 - i) % 10 === 0).reverse()}
            rowId={({ time }) => String(time)}
            columns={[
              { header: "At", cell: ({ time }) => <Time at={time} /> },
              { header: "A second", cell: ({ value }) => formatRate(value), numeric: true },
            ]}
          />
        )}
      </AsTable>
    </figure>
  );
}

function line({ parts, open, size }: Ink): Pick<uPlot.Options, "series" | "scales"> {
  return {
    scales: {
      x: { range: (_, min, max) => rangeOf(min, max) },
      y: { range: upwards },
    },
    series: [
      {},
      {
        stroke: parts[0] ?? "",
        fill: open[PARTS_REST] ?? "",
        width: Math.max(1.5, size / 8),
        points: { show: false },
      },
    ],
  };
}

/** There may be nothing yet. */
function rangeOf(min: number | null, max: number | null): uPlot.Range.MinMax {
  const end = max ?? Date.now();
  return [Math.min(min ?? end, end - SPAN_MS), end];
}

const PARTS_REST = 3;
