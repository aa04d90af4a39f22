/** GraphPage: the graphs of the deployment's jobs, with what flows in them now. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Job } from "../api/types.ts";
import { Button } from "../parts/button.tsx";
import { formatNumber } from "../parts/format.ts";
import { Empty, ErrorNote } from "../parts/notes.tsx";
import { Time } from "../parts/time.tsx";
import { link } from "../route.ts";
import type { HealthState } from "../state/health.ts";
import { useHealth } from "../state/health.ts";
import { useJobs } from "../state/jobs.ts";
import { DeadLetters } from "./dead-letters.tsx";
import { JobsShown } from "./jobs-shown.tsx";
import { Legend } from "./level-mark.tsx";

export interface GraphPageProps {
  /** The job of the address; all of them where it names none. */
  readonly job?: string | undefined;
}

export function GraphPage({ job }: GraphPageProps): JSX.Element {
  const { jobs, views, problem } = useJobs();
  const live = useHealth();
  const all = jobs?.jobs ?? [];
  const shown = job === undefined ? all : all.filter((one) => one.job === job);
  return (
    <div class="graph-page">
      <header class="page-head">
        <h1>Job graph</h1>
        <Age live={live} />
        {all.length < 2 ? null : <Chooser jobs={all} job={job} />}
      </header>
      {jobs === undefined && problem !== undefined ? (
        <ErrorNote title="The jobs are not known" problem={problem} />
      ) : null}
      {jobs === undefined && problem === undefined ? <p class="loading">Loading …</p> : null}
      {jobs !== undefined && shown.length === 0 ? (
        <Empty title={job === undefined ? "No job is deployed" : `There is no job named ${job}`}>
          {all.length === 0 ? null : <a href={link({ page: "graph" })}>See those that there are</a>}
        </Empty>
      ) : null}
      <JobsShown jobs={shown} job={job} views={views?.views ?? []} live={live} />
      {shown.length === 0 ? null : <Legend />}
      {live.health === undefined ? null : <AllLetters health={live.health} />}
    </div>
  );
}

/** Numbers of a while ago are not those of now: then it says of when they are. */
function Age({ live: { status, health } }: { readonly live: HealthState }): JSX.Element | null {
  if (status === "live" || status === "connecting" || health?.at === undefined) return null;
  return (
    <p class="graph-age">
      Not connected: these are the numbers of <Time at={health.at} />.
    </p>
  );
}

function Chooser({
  jobs,
  job,
}: {
  readonly jobs: readonly Job[];
  readonly job: string | undefined;
}): JSX.Element {
  const current = (one: string | undefined) => (one === job ? "page" : undefined);
  return (
    <nav class="graph-chooser" aria-label="Jobs">
      <a href={link({ page: "graph" })} aria-current={current(undefined)}>
        All
      </a>
      {jobs.map((one) => (
        <a key={one.job} href={link({ page: "graph", job: one.job })} aria-current={current(one.job)}>
          {one.job}
        </a>
      ))}
    </nav>
  );
}

/** Of the whole deployment: also those that belong to no node that is drawn. */
function AllLetters({ health }: { readonly health: NonNullable<HealthState["health"]> }): JSX.Element {
  const [open, setOpen] = useState(false);
  const { events, messages } = health.deadLetters;
  return (
    <section class="card" aria-label="All dead letters">
      <p>
        In dead letters: {formatNumber(events)} {events === 1 ? "event" : "events"}
        {messages === null
          ? ""
          : `, ${formatNumber(messages)} buried ${messages === 1 ? "message" : "messages"}`}
        . <Button onClick={() => setOpen(!open)}>{open ? "Hide them" : "See them"}</Button>
      </p>
      {open ? <DeadLetters of={{ everything: true }} /> : null}
    </section>
  );
}
