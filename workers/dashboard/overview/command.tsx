/** Command: a line for a terminal, and a button that copies it. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Button } from "../parts/button.tsx";

const TOLD_MS = 2_000;

export function Command({ line }: { readonly line: string }): JSX.Element {
  const [copied, setCopied] = useState<"no" | "yes" | "failed">("no");
  useEffect(() => {
    if (copied === "no") return;
    const timer = setTimeout(() => setCopied("no"), TOLD_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = () => {
    // Not there where the page is not served over TLS or from this machine.
    const done = navigator.clipboard?.writeText(line) ?? Promise.reject(new Error("no clipboard"));
    done.then(
      () => setCopied("yes"),
      () => setCopied("failed"),
    );
  };
  return (
    <div class="ov-command">
      {/* What scrolls must be reachable by keyboard. */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: see above. */}
      <pre tabIndex={0}>
        <code>{line}</code>
      </pre>
      <Button kind="quiet" onClick={copy} label="Copy this command">
        {copied === "yes" ? "Copied" : copied === "failed" ? "Select it" : "Copy"}
      </Button>
    </div>
  );
}
