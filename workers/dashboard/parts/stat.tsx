/** Stat: one number that matters, large, with what it is. */
import type { ComponentChildren, JSX } from "preact";
import type { Tone } from "./pill.tsx";

export interface StatProps {
  readonly label: ComponentChildren;
  readonly value: ComponentChildren;
  readonly unit?: string;
  readonly hint?: ComponentChildren;
  readonly tone?: Tone;
}

/** Goes into a `<dl class="stats">`. */
export function Stat({ label, value, unit, hint, tone }: StatProps): JSX.Element {
  return (
    <div class={`stat ${tone === undefined ? "" : `tone-${tone}`}`}>
      <dt>{label}</dt>
      <dd>
        <span class="stat-value">{value}</span>
        {unit === undefined ? null : <span class="stat-unit"> {unit}</span>}
        {hint === undefined ? null : <span class="stat-hint">{hint}</span>}
      </dd>
    </div>
  );
}
