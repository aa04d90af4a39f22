/** QueueMeter: how full a queue is against its mark, and how long its oldest message has been waiting. */
import type { JSX } from "preact";
import type { QueueHealth } from "./pressure.ts";
import { fillOf } from "./pressure.ts";
import { backlogWord } from "./words.ts";

export function QueueMeter({ queue }: { readonly queue: QueueHealth | undefined }): JSX.Element {
  const fill = queue === undefined ? 0 : fillOf(queue);
  const level = fill >= 1 ? "over" : fill >= 0.5 ? "filling" : "ok";
  return (
    <span class="graph-queue">
      <span class="graph-queue-track" aria-hidden="true">
        <span class={`graph-queue-fill level-${level}`} style={{ width: `${fill * 100}%` }} />
      </span>
      <span class="graph-queue-text">{queue === undefined ? "queue" : backlogWord(queue)}</span>
    </span>
  );
}
