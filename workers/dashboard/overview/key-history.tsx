/** KeyHistory: the windows in which a key was seen: those of its own view, or of the views over the same stream. */
import type { JSX } from "preact";
import type { View } from "../api/types.ts";
import { Card } from "../parts/card.tsx";
import { Empty, ErrorNote } from "../parts/notes.tsx";
import { useNow } from "../parts/time.tsx";
import { link } from "../route.ts";
import type { JobViews } from "./choose.ts";
import { readsTheSame } from "./choose.ts";
import { beginOf } from "./history.ts";
import { shapeOf } from "./shape.ts";
import { Standing } from "./standing.tsx";
import { useWindows } from "./use-windows.ts";
import { span, windowForm } from "./window-words.ts";
import { WindowsChart } from "./windows-chart.tsx";
import { WindowsTable } from "./windows-table.tsx";

export interface KeyHistoryProps {
  readonly view: View;
  readonly of: JobViews;
  readonly name: string;
}

export function KeyHistory({ view, of, name }: KeyHistoryProps): JSX.Element {
  const windowed = of.views.filter(
    (other) =>
      other.window !== undefined &&
      (other === view || (view.kind === "keyed" && readsTheSame(of.job, view, other))),
  );
  return (
    <>
      {windowed.map((other) => (
        <Windows key={other.view} view={other} name={name} own={other === view} />
      ))}
    </>
  );
}

const HOUR = 3_600_000;
const BARS = 180;
const LINES = 30;

function Windows({ view, name, own }: { readonly view: View; readonly name: string; readonly own: boolean }) {
  const { stepMs, sizeMs, words } = windowForm(view.window?.windows ?? "");
  const spanMs = stepMs === undefined ? 24 * HOUR : Math.min(stepMs * BARS, 7 * 24 * HOUR);
  const state = useWindows(view, { key: name }, spanMs);
  const now = useNow();
  const values = state.rows.flatMap(({ entries }) => entries.map(({ value }) => value));
  const numbers = shapeOf(values) === "numbers";
  return (
    <Card
      title={own ? "Its windows" : <a href={link({ page: "view", view: view.view })}>{view.view}</a>}
      hint={`${words}, the last ${span(spanMs, { one: false })}`}
      actions={<Standing live={state.live} />}
    >
      {state.problem === undefined ? null : (
        <ErrorNote title="The windows cannot be read" problem={state.problem} />
      )}
      {state.loaded && state.rows.length === 0 ? (
        <Empty title="No windows of this key in that time" />
      ) : (
        <>
          {stepMs !== undefined && (numbers || !state.loaded) ? (
            <WindowsChart
              rows={state.rows}
              stepMs={stepMs}
              from={beginOf(state.rows, now - spanMs, now, stepMs)}
              until={now}
              label={`Each ${span(sizeMs ?? stepMs, { one: false })}`}
            />
          ) : null}
          {numbers && stepMs !== undefined ? null : (
            <WindowsTable
              caption={`Windows of ${view.view}, the latest ${LINES}`}
              view={view.view}
              rows={state.rows}
              most={LINES}
              withKey={false}
            />
          )}
        </>
      )}
    </Card>
  );
}
