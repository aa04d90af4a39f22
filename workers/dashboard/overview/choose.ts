/** Choose: which of a deployment's views stands first, and which one tells its history. */
import type { Job, View } from "../api/types.ts";
import { windowForm } from "./window-words.ts";

export interface JobViews {
  readonly job: Job;
  readonly views: readonly View[];
}

/** Jobs with views, as they are registered; their views in the order of the graph. */
export function jobsWithViews(jobs: readonly Job[], views: readonly View[]): JobViews[] {
  return jobs
    .map((job) => ({ job, views: views.filter((view) => view.job === job.job) }))
    .filter(({ views }) => views.length > 0);
}

/**
 * The keyed view of numbers with the largest total; without totals, the first one. Only a job without any has another
 * kind of view first.
 */
export function mainView(
  views: readonly View[],
  totals: ReadonlyMap<string, number> = new Map(),
): View | undefined {
  const totalOf = ({ view }: View) => totals.get(view) ?? 0;
  const [first, ...rest] = views.filter(({ kind, numeric }) => kind === "keyed" && numeric === true);
  if (first === undefined) return views[0];
  return rest.reduce((best, view) => (totalOf(view) > totalOf(best) ? view : best), first);
}

const MINUTE = 60_000;
const LONGEST = 60 * MINUTE;
const SHORTEST = 5_000;

/**
 * Tumbling windows over the same stream, about a minute long: together they are the view's history. Windows over
 * anything else would show other events under other keys, so they are not taken.
 */
export function companionOf(view: View, { job, views }: JobViews): View | undefined {
  const distance = (size: number) => Math.abs(Math.log(size / MINUTE));
  return views
    .filter((other) => other.window !== undefined && readsTheSame(job, view, other))
    .map((other) => ({ other, form: windowForm(other.window?.windows ?? "") }))
    .flatMap(({ other, form: { kind, sizeMs = 0 } }) =>
      kind === "tumbling" && sizeMs >= SHORTEST && sizeMs <= LONGEST ? [{ other, sizeMs }] : [],
    )
    .sort((a, b) => distance(a.sizeMs) - distance(b.sizeMs))[0]?.other;
}

/** Whether two views count the same stream by the same keys. */
export function readsTheSame(job: Job, a: View, b: View): boolean {
  return inputsOf(job, a.view) === inputsOf(job, b.view);
}

/** What a view reads, as one text. */
function inputsOf({ nodes }: Job, view: string): string {
  return JSON.stringify(nodes.find(({ name }) => name === view)?.inputs ?? view);
}

/** The sources whose events reach a view, through whatever is between. */
export function sourcesOf({ nodes }: Pick<Job, "nodes">, view: string): readonly string[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const seen = new Set<string>();
  const todo = [view];
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    todo.push(...(byName.get(name)?.inputs ?? []));
  }
  return nodes.filter(({ kind, name }) => kind === "source" && seen.has(name)).map(({ name }) => name);
}
