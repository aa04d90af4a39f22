/** WindowsCard: a view of windows, small: the window of now, and the ones before it as bars. */
import type { JSX } from "preact";
import type { View } from "../api/types.ts";
import { formatClock, formatCompact } from "../parts/format.ts";
import { useNow } from "../parts/time.tsx";
import { CARD_ROWS, Frame } from "./frame.tsx";
import type { WindowRow } from "./history.ts";
import { currentOf } from "./history.ts";
import { RecordsTable } from "./records-table.tsx";
import type { Ranked, Shape } from "./shape.ts";
import { TopList } from "./top-list.tsx";
import type { WindowsState } from "./use-windows.ts";
import { useWindows } from "./use-windows.ts";
import { WindowHead } from "./window-head.tsx";
import { windowForm } from "./window-words.ts";
import { WindowsTable } from "./windows-table.tsx";

export interface WindowsCardProps {
  readonly view: View;
  readonly shape: Shape;
}

const HOUR = 3_600_000;
/** Of windows without a length: sessions may last. */
const LONG = 6 * HOUR;
const LISTED = 200;

export function WindowsCard({ view, shape }: WindowsCardProps): JSX.Element {
  const { sizeMs, stepMs } = windowForm(view.window?.windows ?? "");
  const span = sizeMs === undefined || stepMs === undefined ? LONG : 2 * sizeMs + 5 * stepMs;
  const state = useWindows(view, shape === "numbers" ? { top: CARD_ROWS } : { limit: LISTED }, span);
  const now = useNow();
  const row = currentOf(state.rows, now);
  // Those of the same length that do not overlap it: where windows hop, the last one that was over when it began.
  const before = row === undefined ? undefined : state.rows.findLast(({ end }) => end <= row.start);
  const shared = sizeMs !== undefined;
  return (
    <Frame view={view} hint={state.form.words} live={state.live}>
      {row === undefined ? (
        <div class="ov-room" style={{ "--ov-rows": CARD_ROWS }}>
          <p class="ov-note">{state.loaded ? "No window in the last while: nothing came." : "Loading …"}</p>
        </div>
      ) : shared ? (
        <div class="ov-split">
          <div>
            <WindowHead row={row} />
            <WindowBody view={view} row={row} shape={shape} state={state} />
          </div>
          {before === undefined ? null : (
            <div class="ov-before">
              <WindowHead row={before} />
              <WindowBody view={view} row={before} shape={shape} state={state} />
            </div>
          )}
        </div>
      ) : (
        <WindowsTable caption={`${view.view}, the latest`} view={view.view} rows={state.rows} most={8} />
      )}
    </Frame>
  );
}

interface BodyProps extends WindowsCardProps {
  readonly row: WindowRow;
  readonly state: WindowsState;
}

function WindowBody({ view, row, shape, state }: BodyProps): JSX.Element {
  const mine = row.entries.filter(({ key, window }) =>
    state.live.changed.has(`${window?.start}/${window?.end}/${key}`),
  );
  const changed = new Set(mine.map(({ key }) => key));
  if (shape !== "numbers") {
    const shown = row.entries.slice(0, 10);
    const rest = row.entries.length - shown.length;
    return (
      <>
        <RecordsTable
          caption={`Keys of ${view.view} from ${formatClock(row.start)} to ${formatClock(row.end)}`}
          view={view.view}
          entries={shown}
          changed={changed}
        />
        {rest > 0 ? <p class="ov-note">and {formatCompact(rest)} more</p> : null}
      </>
    );
  }
  const ranked = row.entries.filter(
    (entry): entry is typeof entry & Ranked => typeof entry.value === "number",
  );
  return (
    <TopList
      label={`Top of ${view.view} in this window`}
      view={view.view}
      entries={ranked.slice(0, CARD_ROWS)}
      changed={changed}
      rows={CARD_ROWS}
    />
  );
}
