/** PrefixList: the keys that begin with a text, live, the largest first. */
import type { JSX } from "preact";
import { formatNumber } from "../parts/format.ts";
import { Empty } from "../parts/notes.tsx";
import { link } from "../route.ts";
import { useLive } from "../state/live.ts";
import type { Ranked } from "./shape.ts";
import { TopList } from "./top-list.tsx";

export interface PrefixListProps {
  readonly view: string;
  readonly prefix: string;
  readonly rows: number;
}

/** Of a listing; beyond it, keys are only in their own order, not in that of their values. */
const LIMIT = 500;

export function PrefixList({ view, prefix, rows }: PrefixListProps): JSX.Element {
  const { entries, loaded, changed, problem } = useLive(view, { prefix, limit: LIMIT });
  const ranked = entries.filter((entry): entry is typeof entry & Ranked => typeof entry.value === "number");
  const shown = ranked.toSorted((a, b) => b.value - a.value).slice(0, rows);
  const sum = ranked.reduce((all, { value }) => all + value, 0);
  const many = entries.length >= LIMIT;
  return (
    <>
      {loaded && entries.length === 0 ? (
        <div class="ov-room" style={{ "--ov-rows": rows }}>
          <Empty title="No key begins so">Capital letters count, and so does the first character.</Empty>
        </div>
      ) : (
        <TopList
          label={`The first ${rows} of the keys that begin so`}
          view={view}
          entries={shown}
          changed={changed}
          rows={rows}
        />
      )}
      <p class="ov-note">
        {!loaded
          ? (problem ?? "Looking …")
          : many
            ? `More than ${LIMIT} keys begin so; these are the largest of the first ${LIMIT}. `
            : `${formatNumber(entries.length)} ${entries.length === 1 ? "key begins" : "keys begin"} so, ${formatNumber(sum)} in all. `}
        {loaded ? <a href={link({ page: "view", view, params: { prefix } })}>All of them</a> : null}
      </p>
    </>
  );
}
