/** FindView: the view that an address names, with its job; or why there is none to show. */
import type { JSX } from "preact";
import type { View } from "../api/types.ts";
import { KeyText } from "../parts/key-text.tsx";
import { ErrorNote } from "../parts/notes.tsx";
import { link } from "../route.ts";
import { useJobs } from "../state/jobs.ts";
import type { JobViews } from "./choose.ts";
import { jobsWithViews } from "./choose.ts";

export interface FindViewProps {
  readonly name: string;
  readonly children: (view: View, of: JobViews) => JSX.Element;
}

export function FindView({ name, children }: FindViewProps): JSX.Element {
  const { jobs, views, problem } = useJobs();
  if (jobs === undefined || views === undefined) {
    return (
      <>
        <h1>
          <KeyText text={name} />
        </h1>
        {problem === undefined ? (
          <p class="loading">Loading …</p>
        ) : (
          <ErrorNote
            title="The views cannot be read"
            problem={`${problem} This page tries again by itself.`}
          />
        )}
      </>
    );
  }
  const of = jobsWithViews(jobs.jobs, views.views).find((one) => one.views.some(({ view }) => view === name));
  const view = of?.views.find((one) => one.view === name);
  if (of !== undefined && view !== undefined) return children(view, of);
  return (
    <>
      <h1>
        No view <KeyText text={name} />
      </h1>
      <p>
        {views.views.length === 0 ? "There are none here." : "There are: "}
        {views.views.map((one, i) => (
          <>
            {i === 0 ? "" : ", "}
            <a key={one.view} href={link({ page: "view", view: one.view })}>
              {one.view}
            </a>
          </>
        ))}
      </p>
    </>
  );
}
