/** AsTable: what a chart shows, for whoever rather reads it; made only when it is opened. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";

export function AsTable({ children }: { readonly children: () => JSX.Element }): JSX.Element {
  const [open, setOpen] = useState(false);
  return (
    <details class="ov-as-table" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>As a table</summary>
      {open ? children() : null}
    </details>
  );
}
