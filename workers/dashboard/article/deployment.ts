/** Deployment: what the article shows of the jobs that run here, whichever they are. */
import type { Health, Job, JobOperator, Jobs, Views } from "../api/types.ts";

/** The source of the slow lane, and what it waits for each event. A test holds both to the job. */
export const SLOW_SOURCE = "slow-clicks";
export const SLOW_MS = 50;

export interface Told {
  readonly job: Job;
  /** The one that visits are sent to. */
  readonly source: string;
  /** Operators that the source's events come to first. */
  readonly first: readonly JobOperator[];
}

/** The job that the article is told with: the one that reads clicks, else the first that can be sent anything. */
export function toldBy(jobs: Jobs | undefined): Told | undefined {
  const pushed = (jobs?.jobs ?? []).flatMap((job) =>
    job.sources.filter(({ source }) => !isPulled(job, source)).map(({ source }) => ({ job, source })),
  );
  const chosen = pushed.find(({ source }) => source === "clicks") ?? pushed[0];
  if (chosen === undefined) return undefined;
  const { job, source } = chosen;
  return { job, source, first: job.operators.filter(({ sources }) => sources.includes(source)) };
}

function isPulled(job: Job, source: string): boolean {
  return job.operators.some(({ operator, kind }) => kind === "pull" && operator === source);
}

/** Views of a job in which a single key can be looked up. */
export function keyedViews(operators: readonly JobOperator[], views: Views | undefined): string[] {
  const keyed = new Set((views?.views ?? []).filter(({ kind }) => kind === "keyed").map(({ view }) => view));
  return operators.flatMap(({ view }) => (view !== undefined && keyed.has(view) ? [view] : []));
}

export function windowedViews(job: Job, views: Views | undefined): string[] {
  return (views?.views ?? [])
    .filter((one) => one.kind === "windowed" && one.job === job.job)
    .map(({ view }) => view);
}

export function hasSlowLane(jobs: Jobs | undefined): boolean {
  return (jobs?.jobs ?? []).some(({ sources }) => sources.some(({ source }) => source === SLOW_SOURCE));
}

export type QueueNow = Health["queues"][number];

/** The queue of a source or a stage. */
export function queueOf(health: Health | undefined, name: string): QueueNow | undefined {
  return health?.queues.find((queue) => queue.name === name);
}

export interface ShardNow {
  readonly operator: string;
  readonly shard: number;
  readonly keys: number;
  readonly applied: number;
  readonly lsn: number;
  readonly checkpointLsn: number;
}

/** The shards that answer, of all operators or of some. */
export function shardsOf(health: Health | undefined, operators?: readonly string[]): ShardNow[] {
  return (health?.operators ?? [])
    .filter(({ operator }) => operators === undefined || operators.includes(operator))
    .flatMap(({ operator, shards }) =>
      shards.flatMap((shard) => ("error" in shard ? [] : [{ ...shard, operator }])),
    );
}
