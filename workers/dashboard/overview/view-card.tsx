/** ViewCard: any view, small: what it holds now, by what its values are. */
import type { JSX } from "preact";
import type { Job, View } from "../api/types.ts";
import { useLive } from "../state/live.ts";
import { Figures } from "./figures.tsx";
import { CARD_ROWS, Frame } from "./frame.tsx";
import { NothingYet } from "./nothing-yet.tsx";
import { RecordsTable } from "./records-table.tsx";
import type { Ranked } from "./shape.ts";
import { latestOf } from "./shape.ts";
import { TopList } from "./top-list.tsx";
import { useLookout, useShape } from "./use-shape.ts";
import { useTotal } from "./use-total.ts";
import { windowForm } from "./window-words.ts";
import { WindowsCard } from "./windows-card.tsx";

export interface ViewCardProps {
  readonly view: View;
  readonly job: Job;
}

export function ViewCard({ view, job }: ViewCardProps): JSX.Element {
  const shape = useShape(view);
  if (shape === undefined) return <Unknown view={view} job={job} />;
  if (view.kind === "windowed") return <WindowsCard view={view} shape={shape} />;
  return shape === "numbers" ? <Numbers view={view} job={job} /> : <Records view={view} />;
}

function Unknown({ view, job }: ViewCardProps): JSX.Element {
  const live = useLookout(view);
  const hint = view.window === undefined ? "by key" : windowForm(view.window.windows).words;
  return (
    <Frame view={view} hint={hint} live={live}>
      <div class="ov-room" style={{ "--ov-rows": CARD_ROWS }}>
        {live.loaded ? <NothingYet job={job} view={view.view} brief /> : <p class="ov-note">Loading …</p>}
      </div>
    </Frame>
  );
}

function Numbers({ view, job }: ViewCardProps): JSX.Element {
  const top = useLive(view.view, { top: CARD_ROWS });
  const state = useTotal(view.view);
  const ranked = top.entries.filter(
    (entry): entry is typeof entry & Ranked => typeof entry.value === "number",
  );
  return (
    <Frame view={view} hint="by key" live={top}>
      <div class="ov-split">
        <Figures state={state} />
        {top.loaded && ranked.length === 0 ? (
          <div class="ov-room" style={{ "--ov-rows": CARD_ROWS }}>
            <NothingYet job={job} view={view.view} brief />
          </div>
        ) : (
          <TopList
            label={`Top ${CARD_ROWS} of ${view.view}`}
            view={view.view}
            entries={ranked}
            changed={top.changed}
            rows={CARD_ROWS}
          />
        )}
      </div>
    </Frame>
  );
}

/** Keys that a listing holds: those with the latest news are looked for among them. */
const LISTED = 100;
const SHOWN = 8;

function Records({ view }: { readonly view: View }): JSX.Element {
  const live = useLive(view.view, { limit: LISTED });
  const { entries, loaded } = live;
  const shown = entries.toSorted((a, b) => latestOf(b.value) - latestOf(a.value)).slice(0, SHOWN);
  const many = entries.length >= LISTED ? `the latest of the first ${LISTED} keys` : `${entries.length} keys`;
  return (
    <Frame view={view} hint={entries.length === 1 ? "1 key" : many} live={live}>
      {loaded && entries.length === 0 ? (
        <p class="ov-note">Nothing is in it now.</p>
      ) : (
        <RecordsTable
          caption={`Keys of ${view.view}`}
          view={view.view}
          entries={shown}
          changed={live.changed}
        />
      )}
    </Frame>
  );
}
