/** PipelinePanel: source, stream and operators of the running job in a row, with what flows between them. */
import type { JSX } from "preact";
import { formatCompact, formatRate } from "../../parts/format.ts";
import { Empty, ErrorNote } from "../../parts/notes.tsx";
import { sum } from "../../parts/sum.ts";
import { link } from "../../route.ts";
import type { HealthState } from "../../state/health.ts";
import type { Told } from "../deployment.ts";
import { queueOf, shardsOf } from "../deployment.ts";
import { Panel } from "../idea.tsx";

export interface PipelinePanelProps {
  /** Undefined where no job can be sent anything, and before the jobs are known. */
  readonly told: Told | undefined;
  readonly known: boolean;
  /** Why the jobs are not known. */
  readonly problem: string | undefined;
  readonly health: HealthState;
}

export function PipelinePanel(props: PipelinePanelProps): JSX.Element {
  const {
    told,
    known,
    problem,
    health: { health, rates },
  } = props;
  if (told === undefined) {
    return (
      <Panel title="This deployment">
        {problem === undefined ? (
          <Empty title={known ? "It runs no job that can be sent anything." : "Asking what runs here …"} />
        ) : (
          <ErrorNote title="What runs here is not known" problem={problem} />
        )}
      </Panel>
    );
  }
  const { source, first, job } = told;
  const waiting = queueOf(health, source)?.backlog?.messages;
  return (
    <Panel
      title={`The job “${job.job}” now`}
      hint={
        <>
          All jobs, with everything that flows in them, are on{" "}
          <a href={link({ page: "graph", job: job.job })}>the graph page</a>.
        </>
      }
    >
      <ol class="pipeline">
        <li>
          <span class="pipeline-word">Source</span>
          <code>{source}</code>
          <span class="pipeline-flow">{formatRate(rates.accepted(source))} events/s in</span>
        </li>
        <li>
          <span class="pipeline-word">Stream</span>
          <code>{job.sources.find((one) => one.source === source)?.queue}</code>
          <span class="pipeline-flow">{waiting === undefined ? "–" : formatCompact(waiting)} waiting</span>
        </li>
        <li>
          <span class="pipeline-word">{first.length === 1 ? "Operator" : "Operators"}</span>
          {first.map(({ operator }) => (
            <span key={operator} class="pipeline-operator">
              <code>{operator}</code>
              <span class="pipeline-flow">
                {formatRate(rates.applied(source, operator))} events/s,{" "}
                {formatCompact(sum(shardsOf(health, [operator]).map(({ applied }) => applied)))} so far
              </span>
            </span>
          ))}
        </li>
      </ol>
    </Panel>
  );
}
