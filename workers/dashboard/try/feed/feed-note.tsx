/** FeedNote: why a feeder waits, or has stopped by itself. */
import type { JSX } from "preact";
import { useNow } from "../../parts/time.tsx";
import type { FeedState } from "./feed-state.ts";

export interface FeedNoteProps {
  readonly state: FeedState;
  /** Why it could not even begin. */
  readonly trouble?: string;
}

export function FeedNote({ state, trouble }: FeedNoteProps): JSX.Element {
  const now = useNow();
  const { running, waitingUntil } = state;
  const problem = running ? state.problem : (trouble ?? state.problem);
  const left = Math.ceil(((waitingUntil ?? 0) - now) / 1_000);
  return (
    <p class={`try-note ${problem === undefined ? "" : running ? "tone-busy" : "tone-bad"}`} role="status">
      {problem === undefined ? "" : problem.replace(/\.?$/, ".")}
      {running && left > 0 ? ` Waiting ${left} s before the next request.` : ""}
    </p>
  );
}
