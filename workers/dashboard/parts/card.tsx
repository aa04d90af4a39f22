/** Card: a part of a page under its own heading. */
import type { ComponentChildren, JSX } from "preact";
import { useId } from "preact/hooks";

export interface CardProps {
  readonly title: ComponentChildren;
  /** One quiet sentence under the title. */
  readonly hint?: ComponentChildren;
  /** Controls at the title's right. */
  readonly actions?: ComponentChildren;
  readonly class?: string;
  /** Of its heading; 2 by default. */
  readonly level?: 2 | 3;
  readonly children?: ComponentChildren;
}

export function Card({ title, hint, actions, level = 2, children, ...rest }: CardProps): JSX.Element {
  const id = useId();
  const Heading = level === 2 ? "h2" : "h3";
  return (
    <section class={`card ${rest.class ?? ""}`} aria-labelledby={id}>
      <header class="card-head">
        <Heading id={id}>{title}</Heading>
        {actions === undefined ? null : <div class="card-actions">{actions}</div>}
      </header>
      {hint === undefined ? null : <p class="hint">{hint}</p>}
      {children}
    </section>
  );
}
