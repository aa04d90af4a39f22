/** NothingYet: what stands in the place of a view that has nothing in it, and how something comes into it. */
import type { JSX } from "preact";
import type { Job } from "../api/types.ts";
import { Empty } from "../parts/notes.tsx";
import { link } from "../route.ts";
import { key } from "../state/keys.ts";
import { sourcesOf } from "./choose.ts";
import { Command } from "./command.tsx";
import { sendLine } from "./curl.ts";

export interface NothingYetProps {
  readonly job: Job;
  readonly view: string;
  readonly title?: string;
  /** With little room, only the line that matters. */
  readonly brief?: boolean;
}

export function NothingYet({
  job,
  view,
  brief = false,
  title = brief ? "Nothing in it now" : "Nothing yet",
}: NothingYetProps): JSX.Element {
  const reached = new Set(sourcesOf(job, view));
  const open = job.sources.find(({ source }) => reached.has(source));
  if (open === undefined) {
    return <Empty title={title}>Its source fetches by itself; what it finds shows here.</Empty>;
  }
  return (
    <Empty title={title}>
      {brief ? null : (
        <p>
          <a href={link({ page: "try" })}>Send it something from this page</a>, or from a terminal:
        </p>
      )}
      <Command line={sendLine(location.origin, open.source, open.example, key.value !== undefined)} />
      {brief || open.example !== undefined ? null : (
        <p>This event is empty: the answer says what one needs.</p>
      )}
    </Empty>
  );
}
