/** Exercises: the article's six, each with how to run it, its file, and what of it runs in this deployment. */
import type { ComponentChildren, JSX } from "preact";
import type { Health, Jobs, Views } from "../../api/types.ts";
import { formatNumber } from "../../parts/format.ts";
import { sum } from "../../parts/sum.ts";
import { link } from "../../route.ts";
import type { Told } from "../deployment.ts";
import { hasSlowLane, keyedViews, queueOf, shardsOf, windowedViews } from "../deployment.ts";
import type { FilePath } from "../files.ts";
import { File } from "../idea.tsx";

export interface Here {
  readonly told: Told | undefined;
  readonly jobs: Jobs | undefined;
  readonly views: Views | undefined;
  readonly health: Health | undefined;
}

interface Exercise {
  readonly title: string;
  readonly task: string;
  readonly finding: string;
  readonly file: FilePath;
  /** What of it runs here; undefined when nothing does. */
  readonly here: (here: Here) => ComponentChildren | undefined;
}

const EXERCISES: readonly Exercise[] = [
  {
    title: "Only the products",
    task: "Count only some of the pages.",
    finding:
      "A filter keeps nothing, so it needs no machine of its own: it is fused into the step before it, and what it drops never gets as far as the queue.",
    file: "workers/jobs/exercises/1-only-products.ts",
    here({ told, views }) {
      const [view] = keyedViews(told?.first ?? [], views);
      if (view === undefined) return undefined;
      const target = link({ page: "view", view, params: { prefix: "/products/" } });
      return (
        <>
          The job here counts all pages, and its view can be asked for a part:{" "}
          <a href={target}>below /products/</a>.
        </>
      );
    },
  },
  {
    title: "Views per minute",
    task: "Count the views of each page in each minute.",
    finding:
      "The minute must be the event’s, not that of whoever happens to count it. When a minute is over is a question of its own, and windows answer it.",
    file: "workers/jobs/exercises/2-views-per-minute.ts",
    here({ told, views }) {
      const windowed = told === undefined ? [] : windowedViews(told.job, views);
      if (windowed.length === 0) return undefined;
      return (
        <>
          As a window:{" "}
          {windowed.map((view) => (
            <a key={view} href={link({ page: "view", view })}>
              {view}
            </a>
          ))}
        </>
      );
    },
  },
  {
    title: "Two sources",
    task: "Add a source that makes events by itself, and count both.",
    finding:
      "Who asks decides how fast, and can ask again from where it was: a source that is pulled keeps its offset together with what it got.",
    file: "workers/jobs/exercises/3-two-sources.ts",
    here({ jobs }) {
      const pulls = (jobs?.jobs ?? []).flatMap(({ operators }) =>
        operators.filter(({ kind }) => kind === "pull"),
      );
      return pulls.length === 0
        ? undefined
        : `Sources that are asked: ${listed(pulls.map(({ operator }) => operator))}`;
    },
  },
  {
    title: "Two streams",
    task: "Let one source feed a counter and a log of everything.",
    finding:
      "One message holds a part for each reader, and is gone from the queue only when all have committed theirs. What belongs into a file is fixed before it is first written, so each event is in it once.",
    file: "workers/jobs/exercises/4-two-streams.ts",
    here({ told }) {
      const readers = (told?.first ?? []).map(({ operator }) => operator);
      return readers.length < 2 ? undefined : `${told?.source} feeds ${listed(readers)}`;
    },
  },
  {
    title: "After a restart",
    task: "Keep the counts when the process ends.",
    finding:
      "The counter is the same class; its map is in shards with a database each. Counts, and the names of what has been counted, are stored in one row, so neither is ever without the other.",
    file: "workers/jobs/exercises/5-after-a-restart.ts",
    here({ told, health }) {
      const shards = shardsOf(
        health,
        (told?.first ?? []).map(({ operator }) => operator),
      );
      if (shards.length === 0) return undefined;
      return `${formatNumber(sum(shards.map(({ lsn }) => lsn)))} commits so far, in ${shards.length} shards; restart the server and look again`;
    },
  },
  {
    title: "A slow operator",
    task: "Make an operator that takes long for each event, and watch its queue.",
    finding:
      "A queue only buys time. With a mark, the pressure goes on to where the events come from, and whoever sends too fast is told so; to become faster takes more workers.",
    file: "workers/jobs/exercises/6-slow-operator.ts",
    here({ jobs, health }) {
      if (!hasSlowLane(jobs)) return undefined;
      const waiting = queueOf(health, "slow")?.backlog?.messages;
      return (
        <>
          The slow lane: {waiting === undefined ? "–" : formatNumber(waiting)} waiting now;{" "}
          <a href={link({ page: "try" })}>fill it</a>
        </>
      );
    },
  },
];

export function Exercises(here: Here): JSX.Element {
  return (
    <ol class="exercises">
      {EXERCISES.map(({ title, task, finding, file, here: tell }, i) => {
        const live = tell(here);
        return (
          <li key={file} class="exercise">
            <h3>{title}</h3>
            <p class="exercise-task">{task}</p>
            <p>{finding}</p>
            <dl>
              <dt>Run</dt>
              <dd>
                <code>npm start -- --job exercise-{i + 1}</code>
              </dd>
              <dt>File</dt>
              <dd>
                <File path={file} />
              </dd>
              <dt>Here</dt>
              <dd>{live ?? (here.jobs === undefined ? "…" : "nothing of it runs in this deployment")}</dd>
            </dl>
          </li>
        );
      })}
    </ol>
  );
}

function listed(names: readonly string[]): string {
  return names.join(", ");
}
