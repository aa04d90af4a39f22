/** Needs: what a system for real work has to have beyond the article's, each with where it stands in this deployment. */
import type { ComponentChildren, JSX } from "preact";
import type { Health } from "../../api/types.ts";
import { formatNumber, formatSpan } from "../../parts/format.ts";
import { sum } from "../../parts/sum.ts";
import { keyedViews, shardsOf, windowedViews } from "../deployment.ts";
import type { Here } from "../exercises/exercises.tsx";
import type { FilePath } from "../files.ts";
import { File } from "../idea.tsx";
import { Once } from "./once.tsx";
import { WindowsNow } from "./windows-now.tsx";

interface Need {
  readonly title: string;
  readonly why: string;
  readonly file: FilePath;
  readonly here: (here: Here) => ComponentChildren;
}

const NEEDS: readonly Need[] = [
  {
    title: "Parallelism",
    why: "One counter is one machine. Keys are spread over shards by a stable hash, and each shard works alone.",
    file: "src/hash.ts",
    here({ told, health }) {
      const spread = (told?.first ?? []).map(({ operator }) => ({
        operator,
        all: appliedIn(health, operator),
      }));
      return spread
        .filter(({ all }) => all.length > 0)
        .map(({ operator, all }) => (
          <span key={operator} class="need-line">
            <code>{operator}</code>: {all.length} shards, {range(all)} events each
          </span>
        ));
    },
  },
  {
    title: "Windows",
    why: "A stream has no end, so an average or a count needs a beginning and an end to be of anything.",
    file: "src/windows/tumbling.ts",
    here({ told, views }) {
      if (told === undefined) return "–";
      const windowed = windowedViews(told.job, views);
      return windowed.length === 0
        ? "No view of this job has windows."
        : windowed.map((view) => <WindowsNow key={view} view={view} />);
    },
  },
  {
    title: "Exactly once",
    why: "Queues deliver twice, clients repeat themselves, machines stop half-way. A shard keeps one bit for each thing that it has applied, in the same row as the counts.",
    file: "src/state/applied-segments.ts",
    here({ told, views, health }) {
      const skipped = sum((health?.flows ?? []).map(({ duplicates }) => duplicates));
      const [view] = keyedViews(told?.first ?? [], views);
      return (
        <>
          <span class="need-line">{formatNumber(skipped)} deliveries were skipped as duplicates so far.</span>
          <Once source={told?.source} view={view} />
        </>
      );
    },
  },
  {
    title: "Backpressure",
    why: "Whoever sends faster than the rest can work has to hear of it, before a queue is full and not after.",
    file: "src/cloudflare/ingest/backpressure.ts",
    here({ health }) {
      if (health === undefined) return "–";
      return health.queues.map(({ queue, name, backlog, highWater, over }) => (
        <span key={queue} class="need-line">
          <code>{name}</code>: {backlog === null ? "–" : formatNumber(backlog.messages)} of{" "}
          {formatNumber(highWater)} wait{over === true ? "; answered 429 now" : ""}
        </span>
      ));
    },
  },
  {
    title: "State that survives",
    why: "Each batch is one row in a log; from time to time the log becomes a checkpoint, and after a crash only what is younger is read again.",
    file: "src/engine/shard/checkpoint.ts",
    here({ health }) {
      const shards = shardsOf(health);
      const commits = sum(shards.map(({ lsn }) => lsn));
      const young = sum(shards.map(({ lsn, checkpointLsn }) => lsn - checkpointLsn));
      return `${formatNumber(commits)} commits, of which ${formatNumber(young)} are younger than their checkpoints.`;
    },
  },
  {
    title: "Event time",
    why: "What counts is when something happened. A watermark says up to when everything has come, so that a window may close.",
    file: "src/engine/watermark/coordinator.ts",
    here({ told, health }) {
      if (health === undefined) return "–";
      const watermarks = health.watermarks.find(({ job }) => job === told?.job.job);
      const source = watermarks?.sources.find((one) => one.source === told?.source);
      if (source === undefined) return "Nothing in this job goes by event time.";
      return source.lagMs === null
        ? "The watermark is not known yet: nothing has come."
        : `The watermark is ${formatSpan(source.lagMs)} behind the clock.`;
    },
  },
];

export function Needs(here: Here): JSX.Element {
  return (
    <ul class="needs">
      {NEEDS.map(({ title, why, file, here: tell }) => (
        <li key={title} class="need">
          <h3>{title}</h3>
          <p>{why}</p>
          <div class="need-here">{tell(here)}</div>
          <File path={file} />
        </li>
      ))}
    </ul>
  );
}

function appliedIn(health: Health | undefined, operator: string): number[] {
  return shardsOf(health, [operator]).map(({ applied }) => applied);
}

function range(numbers: readonly number[]): string {
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)].map(formatNumber);
  return least === most ? `${least}` : `${least} to ${most}`;
}
