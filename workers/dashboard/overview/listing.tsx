/** Listing: the keys of a view in their order: the first page live, more of them page by page. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { describe, getJson } from "../api/client.ts";
import type { EntriesAnswer, Entry, Job, View } from "../api/types.ts";
import { Button } from "../parts/button.tsx";
import { formatNumber } from "../parts/format.ts";
import { Empty, ErrorNote } from "../parts/notes.tsx";
import { useLive } from "../state/live.ts";
import { NothingYet } from "./nothing-yet.tsx";
import { RecordsTable } from "./records-table.tsx";
import { useFetched } from "./use-fetched.ts";

export interface ListingProps {
  readonly view: View;
  readonly job: Job;
  readonly prefix: string;
}

const PAGE = 50;

interface More {
  readonly entries: readonly Entry[];
  readonly next?: string;
  readonly asking?: boolean;
  readonly problem?: string;
}

export function Listing({ view, job, prefix }: ListingProps): JSX.Element {
  const live = useLive(view.view, { prefix, limit: PAGE });
  const path = (cursor?: string) => {
    const query = new URLSearchParams({ prefix, limit: String(PAGE), ...(cursor && { cursor }) });
    return `${view.links.self}?${query}`;
  };
  // The feed of a page does not tell where the next one begins.
  const full = live.entries.length >= PAGE;
  const first = useFetched(
    full ? path() : "",
    full ? (signal) => getJson<EntriesAnswer>(path(), { signal }) : undefined,
  );
  const [more, setMore] = useState<More>();
  const next = more === undefined ? first.data?.next : more.next;
  const entries = more === undefined ? live.entries : joined(live.entries, more.entries);

  const ask = async () => {
    const before = more ?? { entries: (first.data?.entries ?? []) as Entry[] };
    const { problem: _, ...kept } = before as More;
    setMore({ ...kept, ...(next && { next }), asking: true });
    try {
      const page = await getJson<EntriesAnswer>(path(next));
      setMore({
        entries: [...before.entries, ...(page.entries as Entry[])],
        ...(page.next && { next: page.next }),
      });
    } catch (thrown) {
      setMore({ ...before, ...(next && { next }), problem: describe(thrown) });
    }
  };

  if (live.loaded && entries.length === 0) {
    return prefix === "" ? (
      <NothingYet job={job} view={view.view} title="Nothing is in it now" />
    ) : (
      <Empty title="No key begins so">Capital letters count, and so does the first character.</Empty>
    );
  }
  return (
    <>
      <RecordsTable
        caption={`Keys of ${view.view}`}
        view={view.view}
        entries={entries}
        changed={live.changed}
      />
      {more?.problem === undefined ? null : <ErrorNote problem={more.problem} />}
      <p class="ov-note">
        {live.loaded ? `${formatNumber(entries.length)} keys shown` : (live.problem ?? "Loading …")}
        {next === undefined ? null : (
          <Button onClick={() => void ask()} disabled={more?.asking === true}>
            Show more
          </Button>
        )}
      </p>
    </>
  );
}

/** What is live stands over what was fetched, and what is gone from the live page since is gone. */
function joined(live: readonly Entry[], fetched: readonly Entry[]): Entry[] {
  const last = live.at(-1)?.key;
  const rest = last === undefined ? fetched : fetched.filter(({ key }) => key > last);
  return [...live, ...rest];
}
