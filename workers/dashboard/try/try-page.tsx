/** TryPage: send events by hand, by the thousand, or faster than they can be worked off, and watch what happens. */
import type { JSX } from "preact";
import { Empty, ErrorNote } from "../parts/notes.tsx";
import { useJobs } from "../state/jobs.ts";
import { GeneratorPanel } from "./generator-panel.tsx";
import { SlowLanePanel } from "./slow-lane/slow-lane-panel.tsx";
import { slowStageOf, sourcesOf } from "./sources.ts";
import { Terminal } from "./terminal/terminal.tsx";

export function TryPage(): JSX.Element {
  const { jobs, views, problem } = useJobs();
  return (
    <>
      <header class="page-head">
        <h1>Try it</h1>
      </header>
      <p class="try-lead">
        Nothing here is staged: your browser sends real events to this deployment, and shows what its queues,
        shards and views say of them.
      </p>
      {jobs !== undefined && views !== undefined ? (
        <Panels sources={sourcesOf(jobs, views)} slow={slowStageOf(jobs)} />
      ) : problem === undefined ? (
        <p class="loading">Loading …</p>
      ) : (
        <ErrorNote title="The jobs are not known" problem={problem} />
      )}
    </>
  );
}

interface PanelsProps {
  readonly sources: ReturnType<typeof sourcesOf>;
  readonly slow: ReturnType<typeof slowStageOf>;
}

function Panels({ sources, slow }: PanelsProps): JSX.Element {
  if (sources.length === 0) {
    return (
      <Empty title="No job here takes events over HTTP">
        Its sources ask for their events themselves; the graph shows what comes of it.
      </Empty>
    );
  }
  return (
    <div class={slow === undefined ? "try-page" : "try-page try-page-slow"}>
      <Terminal sources={sources} />
      <GeneratorPanel sources={sources} />
      {slow === undefined ? null : <SlowLanePanel slow={slow} />}
    </div>
  );
}
