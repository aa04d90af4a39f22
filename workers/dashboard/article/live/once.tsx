/** Once: a button that repeats one request ten times, and what was counted of it. */
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { describe } from "../../api/problem.ts";
import { Button } from "../../parts/button.tsx";
import { formatValue } from "../../parts/format.ts";
import { ErrorNote } from "../../parts/notes.tsx";
import type { Repeated } from "./repeat.ts";
import { repeat } from "./repeat.ts";

const TIMES = 10;

export interface OnceProps {
  readonly source: string | undefined;
  /** A view of the source's job in which a key can be looked up. */
  readonly view: string | undefined;
}

type State = { readonly running?: true; readonly result?: Repeated; readonly problem?: string };

export function Once({ source, view }: OnceProps): JSX.Element {
  const [{ running = false, result, problem }, setState] = useState<State>({});
  const under = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => under.current?.abort(), []);
  const start = (from: string, to: string) => {
    const controller = new AbortController();
    under.current = controller;
    setState({ running: true });
    repeat(from, to, TIMES, controller.signal).then(
      (repeated) => setState({ result: repeated }),
      (thrown: unknown) => controller.signal.aborted || setState({ problem: describe(thrown) }),
    );
  };
  return (
    <div class="once">
      <Button
        disabled={running || source === undefined || view === undefined}
        onClick={() => source !== undefined && view !== undefined && start(source, view)}
      >
        Send one event {TIMES} times
      </Button>
      <p role="status">
        {running
          ? "Sending, and waiting until it is counted …"
          : result === undefined
            ? "As an impatient client would, under one idempotency key."
            : `${result.accepted} requests accepted; counted: ${formatValue(result.counted)}.`}
      </p>
      {problem === undefined ? null : <ErrorNote title="It broke off" problem={problem} />}
    </div>
  );
}
