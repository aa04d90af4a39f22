/** OverTime: how a keyed view came to what it is: by the windows over the same stream, or else as it was seen here. */
import type { JSX } from "preact";
import type { View } from "../api/types.ts";
import { ErrorNote } from "../parts/notes.tsx";
import { useNow } from "../parts/time.tsx";
import type { JobViews } from "./choose.ts";
import { companionOf } from "./choose.ts";
import type { WindowRow } from "./history.ts";
import { beginOf } from "./history.ts";
import { RateChart } from "./rate-chart.tsx";
import type { TotalState } from "./use-total.ts";
import { useWindows } from "./use-windows.ts";
import { span, windowForm } from "./window-words.ts";
import { WindowsChart } from "./windows-chart.tsx";

export interface OverTimeProps {
  readonly view: View;
  readonly of: JobViews;
  readonly state: TotalState;
  /** The keys to tell apart, largest first; undefined while they are not known. */
  readonly keys: readonly string[] | undefined;
}

export function OverTime({ view, of, state, keys }: OverTimeProps): JSX.Element {
  const companion = companionOf(view, of);
  if (companion === undefined)
    return <RateChart curve={state.curve} label="A second, since this page was opened" />;
  return <Windows view={companion} keys={keys} />;
}

/** Of a window. A window with fewer keys is told completely. */
export const TOP = 20;
/** Windows on a chart. */
export const SHOWN = 60;

/** What a bar is the sum of, as far as that is known. */
export function labelOf(stepMs: number, complete: boolean): string {
  const each = `Each ${span(stepMs, { one: false })}`;
  return complete ? each : `${each}, its ${TOP} largest keys`;
}

/** What is drawn in one colour first is drawn again in several. */
const NONE: readonly WindowRow[] = [];

function Windows({ view, keys }: { readonly view: View; readonly keys: OverTimeProps["keys"] }): JSX.Element {
  const step = windowForm(view.window?.windows ?? "").stepMs ?? 60_000;
  const spanMs = step * SHOWN;
  const { rows, problem, loaded } = useWindows(view, { top: TOP }, spanMs);
  const now = useNow();
  if (problem !== undefined && !loaded)
    return <ErrorNote title="Its history cannot be read" problem={problem} />;
  return (
    <WindowsChart
      rows={keys === undefined ? NONE : rows}
      stepMs={step}
      from={beginOf(rows, now - spanMs, now, step)}
      until={now}
      keys={keys ?? []}
      label={labelOf(
        step,
        rows.every(({ entries }) => entries.length < TOP),
      )}
    />
  );
}
