/** Sources: where events can be sent, what of the graph is behind each, and which stage is the slow one. */
import type { Job, JobOperator, Jobs, Views } from "../api/types.ts";

/** A source that takes events over HTTP. */
export interface OpenSource {
  readonly name: string;
  readonly job: string;
  /** What one may send, as a line of text, where the source says so. */
  readonly example?: string;
  /** Views that its events come to, nearest first. */
  readonly views: readonly ReachedView[];
}

export interface ReachedView {
  readonly view: string;
  /** The operator whose view it is. */
  readonly operator: string;
  readonly windowed: boolean;
  /** A ticket says when it is applied there; behind another operator nothing does. */
  readonly direct: boolean;
}

/** A stage with a mark of its own, and a source whose events come to it. */
export interface SlowStage {
  readonly job: string;
  readonly source: string;
  readonly stage: string;
  /** Messages from which on ingest refuses. */
  readonly highWater: number;
  /** What is behind the stage and can be looked at. */
  readonly view?: string;
}

/** Of all jobs, in their order. */
export function sourcesOf({ jobs }: Jobs, { views }: Views): OpenSource[] {
  return jobs.flatMap((job) =>
    job.sources.map(({ source: name, operators, example }) => ({
      name,
      job: job.job,
      ...(example === undefined ? {} : { example }),
      views: behind(job, name).flatMap(({ operator, view }): ReachedView[] => {
        const known = views.find((one) => one.view === view);
        if (known === undefined) return [];
        const windowed = known.kind === "windowed";
        return [{ view: known.view, operator, windowed, direct: operators.includes(operator) }];
      }),
    })),
  );
}

/** The first stage that one may watch: it says how much may wait for it. */
export function slowStageOf({ jobs }: Jobs): SlowStage | undefined {
  for (const job of jobs) {
    for (const { source } of job.sources) {
      const reached = behind(job, source);
      const slow = reached.find(({ stage }) => stage !== undefined && stage.highWater !== null);
      if (slow?.stage === undefined || slow.stage.highWater === null) continue;
      const view = behind(job, slow.operator).find((operator) => operator.view !== undefined)?.view;
      const found = { job: job.job, source, stage: slow.operator, highWater: slow.stage.highWater };
      return view === undefined ? found : { ...found, view };
    }
  }
  return undefined;
}

/** The operators that events of a source or an operator come to, nearest first. */
function behind({ operators }: Job, origin: string): JobOperator[] {
  const found: JobOperator[] = [];
  for (let from = [origin]; from.length > 0; ) {
    const next = operators.filter(
      (one) => !found.includes(one) && one.sources.some((source) => from.includes(source)),
    );
    found.push(...next);
    from = next.map(({ operator }) => operator);
  }
  return found;
}
