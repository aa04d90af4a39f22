/** Pill: a state in a word or two, its colour never the only sign of it. */
import type { ComponentChildren, JSX } from "preact";

export type Tone = "good" | "busy" | "bad" | "quiet";

export interface PillProps {
  readonly tone?: Tone;
  readonly title?: string;
  readonly children: ComponentChildren;
}

export function Pill({ tone = "quiet", title, children }: PillProps): JSX.Element {
  return (
    <span class={`pill tone-${tone}`} title={title}>
      <span class="pill-dot" aria-hidden="true" />
      {children}
    </span>
  );
}
