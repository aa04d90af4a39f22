/** QueuePanel: the queues as they are now: how much waits in each, how long the oldest has, and how it went lately. */
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Health } from "../../api/types.ts";
import { formatNumber, formatSpan } from "../../parts/format.ts";
import { Empty } from "../../parts/notes.tsx";
import { Pill } from "../../parts/pill.tsx";
import { Sparkline } from "../../parts/sparkline.tsx";
import type { QueueNow } from "../deployment.ts";
import { Panel } from "../idea.tsx";

/** Looks that are remembered, of which there is at most one a second. */
const KEPT = 60;

export function QueuePanel({ health }: { readonly health: Health | undefined }): JSX.Element {
  const lately = useLately(health);
  return (
    <Panel
      title="The queues now"
      hint="Pushed by the server, at most once a second, while something changes. Send visits above, and look again."
    >
      {health === undefined ? (
        <Empty title="The server has not said anything yet." />
      ) : (
        <ul class="queues">
          {health.queues.map((queue) => (
            <Queue key={queue.queue} queue={queue} lately={lately.get(queue.queue) ?? []} />
          ))}
        </ul>
      )}
    </Panel>
  );
}

function Queue({
  queue,
  lately,
}: {
  readonly queue: QueueNow;
  readonly lately: readonly number[];
}): JSX.Element {
  const { backlog, oldestMessageAgeMs, highWater, over } = queue;
  const oldest =
    oldestMessageAgeMs === null || !backlog?.messages
      ? ""
      : `, the oldest for ${formatSpan(oldestMessageAgeMs)}`;
  return (
    <li>
      <code>{queue.queue}</code>
      <span class="queue-now">
        {backlog === null ? "does not say" : `${formatNumber(backlog.messages)} waiting`}
        {oldest}
      </span>
      <Sparkline values={lately} label={`What waited in ${queue.queue} lately`} />
      {over === true ? (
        <Pill tone="bad">full: ingest answers 429</Pill>
      ) : (
        <span class="queue-mark">429 from {formatNumber(highWater)} on</span>
      )}
    </li>
  );
}

/** What waited in each queue at the last looks. */
function useLately(health: Health | undefined): ReadonlyMap<string, readonly number[]> {
  const kept = useRef(new Map<string, readonly number[]>());
  const at = useRef<Health | undefined>(undefined);
  useEffect(() => {
    at.current = health;
  }, [health]);
  if (health !== undefined && at.current !== health) {
    for (const { queue, backlog } of health.queues) {
      kept.current.set(queue, [...(kept.current.get(queue) ?? []), backlog?.messages ?? 0].slice(-KEPT));
    }
  }
  return kept.current;
}
