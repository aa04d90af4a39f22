/** WindowedView: a view of windows on its own page: a span of time, its windows as a chart, and what is in each. */
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { getJson } from "../api/client.ts";
import type { Entry, View, WindowsAnswer } from "../api/types.ts";
import { Card } from "../parts/card.tsx";
import { formatClock } from "../parts/format.ts";
import { Empty, ErrorNote } from "../parts/notes.tsx";
import { useNow } from "../parts/time.tsx";
import type { Params } from "../route.ts";
import type { WindowRow } from "./history.ts";
import { windowsOf } from "./history.ts";
import { RecordsTable } from "./records-table.tsx";
import type { Ranked, Shape } from "./shape.ts";
import type { Chosen } from "./span-choice.ts";
import { chosenSpan } from "./span-choice.ts";
import { SpanChooser } from "./span-chooser.tsx";
import { Standing } from "./standing.tsx";
import { TopList } from "./top-list.tsx";
import { useFetched } from "./use-fetched.ts";
import type { Wanted } from "./use-windows.ts";
import { useWindows } from "./use-windows.ts";
import { WindowHead } from "./window-head.tsx";
import { span, windowForm } from "./window-words.ts";
import { WindowsChart } from "./windows-chart.tsx";
import { WindowsTable } from "./windows-table.tsx";

export interface WindowedViewProps {
  readonly view: View;
  readonly shape: Shape;
  readonly params: Params;
}

const TOP = 10;

export function WindowedView({ view, shape, params }: WindowedViewProps): JSX.Element {
  const chosen = chosenSpan(params);
  const Span = chosen.live ? LiveSpan : PastSpan;
  return (
    <div class="ov-stack">
      <SpanChooser view={view.view} params={params} />
      <Span key={JSON.stringify(params)} view={view} shape={shape} chosen={chosen} />
    </div>
  );
}

interface SpanProps {
  readonly view: View;
  readonly shape: Shape;
  readonly chosen: Chosen;
}

function wantedOf(shape: Shape): Wanted {
  return shape === "numbers" ? { top: TOP } : { limit: 1000 };
}

function LiveSpan({ view, shape, chosen }: SpanProps): JSX.Element {
  const [from, until] = chosen.bounds(0);
  const state = useWindows(view, wantedOf(shape), until - from);
  const now = useNow();
  return (
    <>
      {state.problem === undefined ? null : (
        <ErrorNote title="The windows cannot be read" problem={state.problem} />
      )}
      <Standing live={state.live} />
      <Windows {...{ view, shape, chosen, now }} rows={state.rows} cut={state.cut} loaded={state.loaded} />
    </>
  );
}

function PastSpan({ view, shape, chosen }: SpanProps): JSX.Element {
  const now = useNow();
  const { from, to } = chosen;
  const query = new URLSearchParams({
    from,
    ...(to && { to }),
    limit: "1000",
    ...(shape === "numbers" && { top: String(TOP) }),
  });
  const path = `${view.links.self}?${query}`;
  const { data, problem } = useFetched(path, (signal) => getJson<WindowsAnswer>(path, { signal }));
  const rows = useMemo(() => windowsOf((data?.entries ?? []) as Entry[]), [data]);
  const cut = data?.next !== undefined;
  return (
    <>
      {problem === undefined ? null : <ErrorNote title="The windows cannot be read" problem={problem} />}
      <Windows {...{ view, shape, chosen, now, rows, cut }} loaded={data !== undefined} />
    </>
  );
}

interface WindowsProps extends SpanProps {
  readonly rows: readonly WindowRow[];
  readonly now: number;
  readonly cut: boolean;
  readonly loaded: boolean;
}

/** Windows told one by one; the chart and the API have the others. */
const TOLD = 12;
/** Of each. */
const SHOWN = 5;

function Windows({ view, shape, chosen, rows, now, cut, loaded }: WindowsProps): JSX.Element {
  const { stepMs, words } = windowForm(view.window?.windows ?? "");
  const [from, until] = chosen.bounds(now);
  if (loaded && rows.length === 0) {
    return (
      <Empty title="No windows in this time">
        Choose another one above; windows are by the time of their events.
      </Empty>
    );
  }
  const told = rows.slice(-TOLD).reverse();
  return (
    <>
      {stepMs === undefined || shape !== "numbers" ? null : (
        <Card title="Over time" hint={words}>
          <WindowsChart
            rows={rows}
            stepMs={stepMs}
            from={from}
            until={until}
            label={`Each ${span(stepMs, { one: false })}${rows.every(({ entries }) => entries.length < TOP) ? "" : `, its ${TOP} largest keys`}`}
          />
        </Card>
      )}
      <Card
        title="Windows"
        hint={
          cut
            ? "There are more in this time than one answer holds: these are the earliest. Choose a shorter time."
            : rows.length > TOLD
              ? `The latest ${TOLD} of ${rows.length}`
              : "The latest first"
        }
      >
        {stepMs === undefined ? (
          <WindowsTable caption={`Windows of ${view.view}`} view={view.view} rows={rows} most={100} />
        ) : (
          <div class={shape === "numbers" ? "ov-blocks" : "ov-stack"}>
            {told.map((row) => (
              <Block key={`${row.start}/${row.end}`} view={view} row={row} shape={shape} />
            ))}
          </div>
        )}
      </Card>
    </>
  );
}

function Block({
  view,
  row,
  shape,
}: {
  readonly view: View;
  readonly row: WindowRow;
  readonly shape: Shape;
}) {
  const ranked = row.entries.filter(
    (entry): entry is typeof entry & Ranked => typeof entry.value === "number",
  );
  return (
    <section class="ov-window-block">
      <h3>
        <WindowHead row={row} />
      </h3>
      {shape === "numbers" ? (
        <TopList
          label="Its largest keys"
          view={view.view}
          entries={ranked.slice(0, SHOWN)}
          rows={Math.min(SHOWN, ranked.length)}
        />
      ) : (
        <RecordsTable
          caption={`Keys from ${formatClock(row.start)} to ${formatClock(row.end)}`}
          view={view.view}
          entries={row.entries}
        />
      )}
    </section>
  );
}
