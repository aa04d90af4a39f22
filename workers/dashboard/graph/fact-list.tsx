/** FactList: names and values, one under the other; what is not there is left out. */
import type { ComponentChildren, JSX } from "preact";

export type Fact = readonly [name: string, value: ComponentChildren | undefined];

export interface FactListProps {
  readonly title?: string;
  readonly facts: readonly Fact[];
}

export function FactList({ title, facts }: FactListProps): JSX.Element | null {
  const known = facts.filter(([, value]) => value !== undefined);
  if (known.length === 0) return null;
  return (
    <>
      {title === undefined ? null : <h3>{title}</h3>}
      <dl class="graph-facts">
        {known.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}
