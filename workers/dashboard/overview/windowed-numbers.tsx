/** WindowedNumbers: a view of numbers by key and window, large: its windows as bars, and the top of the window of now. */
import type { JSX } from "preact";
import type { View } from "../api/types.ts";
import { Card } from "../parts/card.tsx";
import { formatNumber } from "../parts/format.ts";
import { useNow } from "../parts/time.tsx";
import { link } from "../route.ts";
import { beginOf, currentOf } from "./history.ts";
import { labelOf, SHOWN, TOP } from "./over-time.tsx";
import type { Ranked } from "./shape.ts";
import { Standing } from "./standing.tsx";
import { TopList } from "./top-list.tsx";
import { useQuietly } from "./use-quietly.ts";
import { useWindows } from "./use-windows.ts";
import { WindowHead } from "./window-head.tsx";
import { windowForm } from "./window-words.ts";
import { WindowsChart } from "./windows-chart.tsx";

const ROWS = 10;

/** Windows with a length: without one, there is no axis to put them on. */
export function WindowedNumbers({ view }: { readonly view: View }): JSX.Element {
  const form = windowForm(view.window?.windows ?? "");
  const step = form.stepMs ?? 60_000;
  const state = useWindows(view, { top: TOP }, step * SHOWN);
  const now = useNow();
  const row = currentOf(state.rows, now);
  const ranked = (row?.entries ?? []).filter(
    (entry): entry is typeof entry & Ranked => typeof entry.value === "number",
  );
  const changed = new Set(
    ranked.flatMap(({ key, window }) => {
      return state.live.changed.has(`${window?.start}/${window?.end}/${key}`) ? [key] : [];
    }),
  );
  const first = ranked[0];
  const told = useQuietly(
    first === undefined ? "" : `${view.view}: first is ${first.key} with ${formatNumber(first.value)}`,
  );
  return (
    <div class="ov-large">
      <p class="visually-hidden" role="status">
        {told}
      </p>
      <Card
        title={<a href={link({ page: "view", view: view.view })}>{view.view}</a>}
        level={3}
        hint={form.words}
        class="ov-large-figures"
        actions={<Standing live={state.live} />}
      >
        <WindowsChart
          rows={state.rows}
          stepMs={step}
          from={beginOf(state.rows, now - step * SHOWN, now, step)}
          until={now}
          keys={ranked.slice(0, 3).map(({ key }) => key)}
          label={labelOf(
            step,
            state.rows.every(({ entries }) => entries.length < TOP),
          )}
        />
      </Card>
      <Card title="Window of now" level={3} class="ov-large-top">
        {row === undefined ? (
          <p class="ov-note">{state.loaded ? "No window in the last while: nothing came." : "Loading …"}</p>
        ) : (
          <WindowHead row={row} />
        )}
        <TopList
          label={`Top ${ROWS} of ${view.view} in this window`}
          view={view.view}
          entries={ranked.slice(0, ROWS)}
          changed={changed}
          rows={ROWS}
        />
      </Card>
    </div>
  );
}
