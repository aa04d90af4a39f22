/** SpanChooser: the last so many hours, or from one moment to another; in the address, so a link keeps it. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Button } from "../parts/button.tsx";
import type { Params } from "../route.ts";
import { go } from "../route.ts";
import { chosenSpan, localText, SPANS } from "./span-choice.ts";

export interface SpanChooserProps {
  readonly view: string;
  readonly params: Params;
}

export function SpanChooser({ view, params }: SpanChooserProps): JSX.Element {
  const chosen = chosenSpan(params);
  const [begin, end] = chosen.bounds(Date.now());
  const [from, setFrom] = useState(localText(begin));
  const [to, setTo] = useState(localText(end));
  const wrong = !(Date.parse(from) < Date.parse(to));
  const submit = (event: Event) => {
    event.preventDefault();
    if (wrong) return;
    const iso = (text: string) => new Date(text).toISOString();
    go({ page: "view", view, params: { from: iso(from), to: iso(to) } });
  };
  return (
    <form class="ov-controls" aria-label="Time" onSubmit={submit}>
      <div class="ov-spans">
        {SPANS.map(({ text, ms }) => (
          <Button
            key={text}
            pressed={chosen.live && chosen.from === `-${ms / 1000}s`}
            label={`The last ${text}`}
            onClick={() => go({ page: "view", view, params: { last: ms } })}
          >
            {text}
          </Button>
        ))}
      </div>
      <label class="field">
        From
        <input
          type="datetime-local"
          value={from}
          onInput={({ currentTarget }) => setFrom(currentTarget.value)}
        />
      </label>
      <label class="field">
        To
        <input type="datetime-local" value={to} onInput={({ currentTarget }) => setTo(currentTarget.value)} />
      </label>
      <Button type="submit" disabled={wrong}>
        Show
      </Button>
    </form>
  );
}
