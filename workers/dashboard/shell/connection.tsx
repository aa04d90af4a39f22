/** Connection: whether the page gets what happens, in a word; and, when it does not, why and what to do. */
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import type { LiveStatus } from "../api/live.ts";
import { Button } from "../parts/button.tsx";
import type { Tone } from "../parts/pill.tsx";
import { Pill } from "../parts/pill.tsx";
import { useHealth } from "../state/health.ts";
import { keyRefusal, openKeyDialog } from "../state/keys.ts";

export function Connection(): JSX.Element {
  const { status } = useHealth();
  const wasLive = useRef(false);
  if (status === "live") wasLive.current = true;
  const [word, tone] = wordOf(status, wasLive.current);
  return (
    <div class="connection" role="status">
      <Pill tone={tone}>{word}</Pill>
    </div>
  );
}

function wordOf(status: LiveStatus, wasLive: boolean): readonly [string, Tone] {
  switch (status) {
    case "live":
      return ["Live", "good"];
    case "offline":
      return navigator.onLine ? ["No answer", "bad"] : ["Offline", "bad"];
    case "refused":
      return ["Stopped", "bad"];
    default:
      return wasLive ? ["Reconnecting", "busy"] : ["Connecting", "quiet"];
  }
}

/** Lies over the foot of the screen, so that nothing moves when it comes and goes. */
export function ConnectionNote(): JSX.Element | null {
  const { status, problem } = useHealth();
  const refusal = keyRefusal.value;
  if (status === "offline") {
    return (
      <div class="shell-note note note-bad" role="status">
        {navigator.onLine
          ? "The server does not answer. The page shows what it last heard, and goes on by itself when the server is back."
          : "This device is offline. The page shows what it last heard, and goes on by itself when the network is back."}
      </div>
    );
  }
  if (status !== "refused") return null;
  return (
    <div class="shell-note note note-bad" role="status">
      <p>{problem ?? "The server refuses to send what happens."}</p>
      {refusal === undefined ? null : (
        <div class="note-action">
          <Button onClick={() => openKeyDialog(refusal)}>Enter a key</Button>
        </div>
      )}
    </div>
  );
}
