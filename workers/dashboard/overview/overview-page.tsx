/** OverviewPage: what all jobs of the deployment hold now, as it changes. */
import type { JSX } from "preact";
import { Empty, ErrorNote } from "../parts/notes.tsx";
import { link } from "../route.ts";
import { useJobs } from "../state/jobs.ts";
import { jobsWithViews } from "./choose.ts";
import { JobSection } from "./job-section.tsx";

export function OverviewPage(): JSX.Element {
  const { jobs, views, problem } = useJobs();
  const shown = jobs === undefined || views === undefined ? [] : jobsWithViews(jobs.jobs, views.views);
  return (
    <div class="ov-page">
      <h1 class="visually-hidden">Overview</h1>
      {jobs === undefined && problem !== undefined ? (
        <ErrorNote title="The jobs cannot be read" problem={`${problem} This page tries again by itself.`} />
      ) : jobs === undefined ? (
        <Waiting />
      ) : shown.length === 0 ? (
        <Empty title="No job here has a view">
          A view comes with an operator that keeps state, like <code>count()</code>. What runs is in{" "}
          <a href={link({ page: "graph" })}>the graph</a>.
        </Empty>
      ) : (
        shown.map((of, i) => <JobSection key={of.job.job} of={of} first={i === 0} />)
      )}
    </div>
  );
}

/** As large as what will stand here. */
function Waiting(): JSX.Element {
  return (
    <div class="ov-waiting" role="status">
      <p class="loading">Loading …</p>
    </div>
  );
}
