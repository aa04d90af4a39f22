/** JobsShown: the drawings of jobs, and beside them the details of the node that the address names. */
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { Job, View } from "../api/types.ts";
import { go, route } from "../route.ts";
import type { HealthState } from "../state/health.ts";
import { Details } from "./details.tsx";
import { Drawing } from "./drawing.tsx";
import type { GraphFacts } from "./facts.ts";
import { factsOf } from "./facts.ts";
import { FactsTable } from "./facts-table.tsx";
import { LevelMark } from "./level-mark.tsx";
import type { JobGraph } from "./model.ts";
import { graphOf } from "./model.ts";
import { worst } from "./pressure.ts";

interface JobsShownProps {
  readonly jobs: readonly Job[];
  readonly job: string | undefined;
  readonly views: readonly View[];
  readonly live: HealthState;
}

export function JobsShown({ jobs, job, views, live }: JobsShownProps): JSX.Element {
  const { health, rates } = live;
  const drawn = jobs.map((one) => {
    const graph = drawable(one);
    return { graph, facts: factsOf(graph, health, rates) };
  });
  const { node: open } = route.value.params;
  const found = drawn.flatMap(({ graph, facts }) => {
    const node = graph.nodes.find(({ name }) => name === open);
    const known = node && facts.nodes.get(node.name);
    return node === undefined || known === undefined ? [] : [{ node, facts: known }];
  })[0];
  const show = (node: string | undefined) => {
    go({ page: "graph", ...(job === undefined ? {} : { job }), params: { node } }, { replace: true });
  };
  const close = () => {
    show(undefined);
    if (open !== undefined) buttonOf(open)?.focus();
  };
  useEffect(() => {
    if (open !== undefined) buttonOf(open)?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [open]);
  useEscape(found === undefined ? undefined : close);
  return (
    <div class={`graph-shown ${found === undefined ? "" : "graph-shown-open"} graph-${live.status}`}>
      <div class="graph-jobs">
        {drawn.map(({ graph, facts }) => (
          <JobShown key={graph.job} graph={graph} facts={facts} open={open} onOpen={show} />
        ))}
      </div>
      {found === undefined ? null : (
        <Details {...found} view={views.find(({ view }) => view === found.node.name)} onClose={close} />
      )}
    </div>
  );
}

const graphs = new WeakMap<Job, JobGraph>();

/** The same graph for the same job: its layout is reckoned once. */
function drawable(job: Job): JobGraph {
  const known = graphs.get(job) ?? graphOf(job);
  graphs.set(job, known);
  return known;
}

function buttonOf(node: string): HTMLElement | null {
  return document.querySelector<HTMLElement>(`[data-node="${CSS.escape(node)}"]`);
}

/** A dialog that is open has Escape for itself. */
function useEscape(close: (() => void) | undefined): void {
  useEffect(() => {
    if (close === undefined) return;
    const onKey = (event: KeyboardEvent) => {
      if (event.key === "Escape" && document.querySelector("dialog[open]") === null) close();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  });
}

interface JobShownProps {
  readonly graph: JobGraph;
  readonly facts: GraphFacts;
  readonly open: string | undefined;
  readonly onOpen: (name: string) => void;
}

function JobShown({ graph, facts, open, onOpen }: JobShownProps): JSX.Element {
  const bad = worst([...facts.nodes.values()].map(({ pressure }) => pressure));
  return (
    <section class="card graph-job" aria-label={`Job ${graph.job}`}>
      <header class="card-head">
        <h2>{graph.job}</h2>
        <LevelMark pressure={bad} />
      </header>
      <Drawing graph={graph} facts={facts} open={open} onOpen={onOpen} />
      <FactsTable graph={graph} facts={facts} />
    </section>
  );
}
