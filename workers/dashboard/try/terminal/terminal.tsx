/** Terminal: a prompt for events, and above it the way that each of them went. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Button } from "../../parts/button.tsx";
import { Card } from "../../parts/card.tsx";
import { SourceChoice } from "../source-choice.tsx";
import type { OpenSource } from "../sources.ts";
import { isSettled, linesOf } from "./line.ts";
import { LineItem } from "./line-item.tsx";
import { ports } from "./ports.ts";
import { Session } from "./session.ts";

/** One for the visit: what was typed is still there when one comes back to the page. */
const session = new Session(ports);

export interface TerminalProps {
  readonly sources: readonly OpenSource[];
}

export function Terminal({ sources }: TerminalProps): JSX.Element {
  const chosen = useSignal<string | undefined>(undefined);
  const typed = useSignal("");
  const note = useSignal("");
  const history = useRef<HTMLDivElement>(null);
  const source = sources.find(({ name }) => name === chosen.value) ?? sources[0];
  const lines = session.lines.value;
  useStickyEnd(history, lines);

  const send = (text: string): boolean => {
    const { lines, left } = linesOf(text);
    note.value = left === 0 ? "" : `The first ${lines.length} lines go; ${left} more were left out.`;
    if (lines.length === 0 || source === undefined) return false;
    session.send(lines, source);
    return true;
  };
  const submit = (event: Event) => {
    event.preventDefault();
    if (send(typed.value)) typed.value = "";
  };
  const paste = (event: ClipboardEvent) => {
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (!/[\r\n]/.test(text.trim())) return;
    // An input would glue the lines together.
    event.preventDefault();
    send(`${typed.value}${text}`);
    typed.value = "";
  };
  const recall = (event: KeyboardEvent) => {
    if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
    event.preventDefault();
    const { recall } = session;
    typed.value = event.key === "ArrowUp" ? recall.earlier(typed.value) : recall.later(typed.value);
  };

  return (
    <Card
      title="Terminal"
      class="try-terminal"
      hint="Each line is sent as text/plain and followed by its ticket: accepted is durable, applied is counted."
      actions={
        <>
          <SourceChoice sources={sources} value={source} onChoose={(name) => (chosen.value = name)} />
          <Button kind="quiet" disabled={!lines.some(isSettled)} onClick={() => session.clear()}>
            Clear
          </Button>
        </>
      }
    >
      <div class="try-screen">
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
        <div class="try-history" role="log" aria-label="Lines and their way" tabIndex={0} ref={history}>
          {lines.length === 0 ? <Welcome example={source?.example} /> : null}
          <ol class="try-lines">
            {lines.map((line) => (
              <LineItem
                key={line.id}
                line={line}
                onAgain={() => {
                  const its = sources.find(({ name }) => name === line.source);
                  if (its !== undefined) session.again(line.id, its);
                }}
              />
            ))}
          </ol>
        </div>
        <form class="try-entry" onSubmit={submit}>
          <label class="try-prompt" for="try-line">
            {source?.name ?? ""} ❯<span class="visually-hidden"> line to send</span>
          </label>
          <input
            id="try-line"
            class="try-input"
            type="text"
            autocomplete="off"
            autocapitalize="off"
            spellcheck={false}
            enterkeyhint="send"
            placeholder={source?.example ?? "an event, as text or JSON"}
            value={typed.value}
            onInput={(event) => (typed.value = event.currentTarget.value)}
            onPaste={paste}
            onKeyDown={recall}
          />
          <Button type="submit" class="try-send">
            Send
          </Button>
        </form>
      </div>
      <p class="try-pasted" role="status">
        {note.value}
      </p>
    </Card>
  );
}

function Welcome({ example }: { readonly example: string | undefined }): JSX.Element {
  return (
    <p class="try-welcome">
      Type an event
      {example === undefined ? null : (
        <>
          , such as <kbd>{example}</kbd>
        </>
      )}
      , and press Enter. Several lines can be pasted; the arrow keys bring back what was typed.
    </p>
  );
}

/** Keeps the end in sight, unless the reader has scrolled away from it. */
function useStickyEnd(box: { readonly current: HTMLDivElement | null }, content: unknown): void {
  const stuck = useRef(true);
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    let last = element.scrollTop;
    const look = () => {
      const { scrollTop, scrollHeight, clientHeight } = element;
      // Only the reader goes up; that the end is not in sight may also be since more has come.
      if (scrollTop < last) stuck.current = false;
      if (scrollHeight - scrollTop - clientHeight < 8) stuck.current = true;
      last = scrollTop;
    };
    element.addEventListener("scroll", look, { passive: true });
    return () => element.removeEventListener("scroll", look);
  }, [box]);
  useEffect(() => {
    const element = box.current;
    if (element !== null && stuck.current) element.scrollTop = element.scrollHeight;
  }, [content]);
}
