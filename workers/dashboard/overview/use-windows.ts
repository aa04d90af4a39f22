/**
 * useWindows: the windows of a view over a span of time that ends now.
 *
 * Only the youngest windows change much, so only they are pushed: a feed of the last hour would have the shards rank sixty
 * windows to tell what has changed in one. The others are fetched, and again about once a window, for what came late.
 */
import { useMemo } from "preact/hooks";
import { getJson } from "../api/client.ts";
import type { Entry, View, WindowsAnswer } from "../api/types.ts";
import type { LiveQuery, LiveState } from "../state/live.ts";
import { useLive } from "../state/live.ts";
import type { WindowRow } from "./history.ts";
import { merged, windowsOf } from "./history.ts";
import { useFetched } from "./use-fetched.ts";
import { useReturns } from "./use-returns.ts";
import type { WindowForm } from "./window-words.ts";
import { ago, windowForm } from "./window-words.ts";

/** What of each window: the largest, those of one key, or all. */
export type Wanted = { readonly top: number } | { readonly key: string } | { readonly limit: number };

export interface WindowsState {
  readonly rows: readonly WindowRow[];
  readonly loaded: boolean;
  /** There are more than one answer holds. */
  readonly cut: boolean;
  readonly problem?: unknown;
  readonly live: LiveState;
  readonly form: WindowForm;
}

const MINUTE = 60_000;
/** The API's own bound of top times windows. */
const MOST = 10_000;
const PAGE = 1000;

export function useWindows(view: View, wanted: Wanted, spanMs: number): WindowsState {
  const form = windowForm(view.window?.windows ?? "");
  const live = useLive(view.view, { ...recently(form, spanMs), ...wanted });
  const again = useReturns(live.status);
  const query = new URLSearchParams(
    Object.entries({ ...since(form, spanMs), ...pageOf(wanted) }).map(([name, value]) => [name, `${value}`]),
  );
  const path = `${view.links.self}?${query}`;
  const { data, problem } = useFetched(path, (signal) => getJson<WindowsAnswer>(path, { signal }), {
    every: Math.min(Math.max(form.stepMs ?? MINUTE, MINUTE / 2), 5 * MINUTE),
    again,
  });
  const rows = useMemo(
    () => (data === undefined ? [] : windowsOf(merged(data.entries as Entry[], live.entries))),
    [data, live.entries],
  );
  return {
    rows,
    live,
    form,
    loaded: data !== undefined,
    cut: data?.next !== undefined,
    ...(problem === undefined ? {} : { problem }),
  };
}

/** The windows that events of now can still reach, and the one before them. */
function recently({ sizeMs, stepMs, ...form }: WindowForm, spanMs: number): LiveQuery {
  if (sizeMs === undefined || stepMs === undefined) return since(form, spanMs);
  return { from: ago(Math.min(sizeMs + stepMs, spanMs)) };
}

/** All time and counts of events have no span. */
function since({ kind }: Pick<WindowForm, "kind">, spanMs: number): LiveQuery {
  return kind === "global" || kind === "count" ? {} : { from: ago(spanMs) };
}

function pageOf(wanted: Wanted): LiveQuery {
  if ("top" in wanted) return { ...wanted, limit: Math.min(PAGE, Math.floor(MOST / wanted.top)) };
  return "limit" in wanted ? { limit: PAGE } : { ...wanted, limit: PAGE };
}
