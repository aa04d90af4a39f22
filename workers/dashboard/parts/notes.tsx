/** Notes: what stands where there is nothing to show, and what says that something is wrong and what to do. */
import type { ComponentChildren, JSX } from "preact";
import { ApiProblem, sentenceOf } from "../api/problem.ts";

export interface EmptyProps {
  readonly title: ComponentChildren;
  /** What to do so that something comes. */
  readonly children?: ComponentChildren;
}

export function Empty({ title, children }: EmptyProps): JSX.Element {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children === undefined ? null : <div class="empty-more">{children}</div>}
    </div>
  );
}

export interface ErrorNoteProps {
  /** Something thrown, or what the server said. */
  readonly problem: unknown;
  /** What could not be done, as a heading. */
  readonly title?: string;
  /** Usually a button that tries again. */
  readonly action?: ComponentChildren;
}

export function ErrorNote({ problem, title, action }: ErrorNoteProps): JSX.Element {
  const later = problem instanceof ApiProblem ? problem.retryAfter : undefined;
  return (
    <div class="note note-bad" role="alert">
      {title === undefined ? null : <p class="note-title">{title}</p>}
      <p>
        {sentenceOf(problem)}
        {later === undefined ? "" : ` Try again in ${later} s.`}
      </p>
      {action === undefined ? null : <div class="note-action">{action}</div>}
    </div>
  );
}
