/** PrefixFilter: shows only keys that begin so; it is in the address, so a link keeps it. */
import type { JSX } from "preact";
import { useEffect, useId, useState } from "preact/hooks";

export interface PrefixFilterProps {
  readonly prefix: string;
  readonly onPrefix: (prefix: string) => void;
}

/** Each letter would open a socket of its own. */
const CALM_MS = 250;

export function PrefixFilter({ prefix, onPrefix }: PrefixFilterProps): JSX.Element {
  const id = useId();
  const [text, setText] = useState(prefix);
  // The address may change by itself: a link, or a step back.
  useEffect(() => setText(prefix), [prefix]);
  useEffect(() => {
    if (text === prefix) return;
    const timer = setTimeout(() => onPrefix(text), CALM_MS);
    return () => clearTimeout(timer);
  }, [text, prefix, onPrefix]);
  return (
    <search class="ov-filter">
      <label for={id}>Begins with</label>
      <input
        id={id}
        type="search"
        value={text}
        placeholder="any"
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        onInput={({ currentTarget }) => setText(currentTarget.value)}
      />
    </search>
  );
}
