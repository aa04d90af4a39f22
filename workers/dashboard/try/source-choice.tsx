/** SourceChoice: which source something is sent to. */
import type { JSX } from "preact";
import { useId } from "preact/hooks";
import type { OpenSource } from "./sources.ts";

export interface SourceChoiceProps {
  readonly sources: readonly OpenSource[];
  readonly value: OpenSource | undefined;
  readonly disabled?: boolean;
  readonly onChoose: (name: string) => void;
}

export function SourceChoice({ sources, value, disabled = false, onChoose }: SourceChoiceProps): JSX.Element {
  const id = useId();
  return (
    <span class="field try-choice">
      <label for={id}>Source</label>
      <select id={id} disabled={disabled} onChange={(event) => onChoose(event.currentTarget.value)}>
        {sources.map(({ name, job }) => (
          <option key={name} value={name} selected={name === value?.name}>
            {`${name} (${job})`}
          </option>
        ))}
      </select>
    </span>
  );
}
