/** JobSection: a job's views: the main one large, the others as cards. */
import type { JSX } from "preact";
import { useId } from "preact/hooks";
import { getJson } from "../api/client.ts";
import type { TotalAnswer, View } from "../api/types.ts";
import { formatRate } from "../parts/format.ts";
import { link } from "../route.ts";
import { useHealth } from "../state/health.ts";
import type { JobViews } from "./choose.ts";
import { mainView } from "./choose.ts";
import { KeyedNumbers } from "./keyed-numbers.tsx";
import { useFetched } from "./use-fetched.ts";
import { useShape } from "./use-shape.ts";
import { ViewCard } from "./view-card.tsx";
import { windowForm } from "./window-words.ts";
import { WindowedNumbers } from "./windowed-numbers.tsx";

export interface JobSectionProps {
  readonly of: JobViews;
  /** The first job has the page's large place. */
  readonly first: boolean;
}

export function JobSection({ of, first }: JobSectionProps): JSX.Element {
  const { job, views } = of;
  const id = useId();
  const main = useMain(first ? views : []);
  const { rates } = useHealth();
  const arriving = job.sources.reduce((sum, { source }) => sum + rates.accepted(source), 0);
  return (
    <section class="ov-job" aria-labelledby={id}>
      <header class="ov-job-head">
        <h2 id={id}>{job.job}</h2>
        <p class="ov-note">
          {job.sources.length === 0 ? null : (
            <span class="ov-arriving">{formatRate(arriving)} events/s arriving</span>
          )}
          <a href={link({ page: "graph", job: job.job })}>Its graph</a>
        </p>
      </header>
      {main === undefined ? null : <Large view={main} of={of} />}
      <div class="ov-cards">
        {views
          .filter((view) => view !== main)
          .map((view) => (
            <ViewCard key={view.view} view={view} job={job} />
          ))}
      </div>
    </section>
  );
}

function Large({ view, of }: { readonly view: View; readonly of: JobViews }): JSX.Element {
  const shape = useShape(view);
  if (view.kind === "keyed" && shape === "numbers") return <KeyedNumbers view={view} of={of} />;
  const fixed = windowForm(view.window?.windows ?? "").stepMs !== undefined;
  if (shape === "numbers" && fixed) return <WindowedNumbers view={view} />;
  return (
    <div class="ov-cards">
      <ViewCard view={view} job={of.job} />
    </div>
  );
}

/** Chosen when the page is opened: a view that overtakes another one later does not make them change places. */
function useMain(views: readonly View[]): View | undefined {
  const candidates = views.filter(({ kind, numeric }) => kind === "keyed" && numeric === true);
  const names = candidates.map(({ view }) => view);
  const { data } = useFetched(
    names.join("\n"),
    candidates.length < 2
      ? undefined
      : (signal) =>
          Promise.all(
            candidates.map(async ({ view, links }): Promise<[string, number]> => {
              const { total } = await getJson<TotalAnswer>(links.total ?? `${links.self}?total=1`, {
                signal,
              });
              return [view, total];
            }),
          ),
  );
  return mainView(views, new Map(data));
}
