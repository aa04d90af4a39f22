/** Comparison: the same visits through a backend that makes its visitors wait, and through the stream, side by side. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Button } from "../../parts/button.tsx";
import { formatSpan } from "../../parts/format.ts";
import { ErrorNote } from "../../parts/notes.tsx";
import { SLOW_MS, SLOW_SOURCE } from "../deployment.ts";
import { marksFor } from "./axis.ts";
import type { Figures } from "./figures.ts";
import { endOf, figuresOf } from "./figures.ts";
import { Outcome } from "./outcome.tsx";
import { Axis, Timeline } from "./timeline.tsx";
import type { Run } from "./use-comparison.ts";
import { useComparison } from "./use-comparison.ts";

export interface ComparisonProps {
  /** The source that counts without any work; undefined where no job has one. */
  readonly source: string | undefined;
  /** Whether the slow lane runs here, which does real work for each visit. */
  readonly slow: boolean;
}

const VISITS = 24;
/** A browser opens no more than six connections to one place: more visitors would wait for the browser. */
const VISITORS = [1, 3, 6];
/** The axis before anything has run, ms. */
const EMPTY_AXIS = 1_000;

export function Comparison({ source, slow }: ComparisonProps): JSX.Element {
  const { run, start, stop } = useComparison();
  const [heavy, setHeavy] = useState(true);
  const [visitors, setVisitors] = useState(6);
  const working = heavy && slow;
  const chosen = working ? SLOW_SOURCE : source;
  const running = run.phase !== "idle" && run.phase !== "done";
  return (
    <section class="panel comparison" aria-labelledby="comparison-title">
      <h3 id="comparison-title">Measure both, from this browser</h3>
      <form
        class="comparison-controls"
        onSubmit={(event) => {
          event.preventDefault();
          if (chosen === undefined) return;
          start({ work: { workMs: working ? SLOW_MS : 0, source: chosen }, visits: VISITS, visitors });
        }}
      >
        <label>
          Work for each visit{" "}
          <select
            value={working ? "heavy" : "none"}
            disabled={running}
            onChange={(event) => setHeavy(event.currentTarget.value === "heavy")}
          >
            {slow ? <option value="heavy">{SLOW_MS} ms, as a slow database</option> : null}
            {source === undefined ? null : <option value="none">none but counting</option>}
          </select>
        </label>
        <label>
          Visitors at the same time{" "}
          <select
            value={visitors}
            disabled={running}
            onChange={(event) => setVisitors(Number(event.currentTarget.value))}
          >
            {VISITORS.map((n) => (
              <option key={n} value={n}>
                {n}
              </option>
            ))}
          </select>
        </label>
        {running ? (
          <Button onClick={stop}>Stop</Button>
        ) : (
          <Button kind="strong" type="submit" disabled={chosen === undefined}>
            Send {VISITS} visits to each
          </Button>
        )}
      </form>
      {run.problem === undefined ? null : (
        <ErrorNote title="The comparison broke off" problem={run.problem} />
      )}
      <Race run={run} />
      <Outcome run={run} />
    </section>
  );
}

function Race({ run }: { readonly run: Run }): JSX.Element {
  const now = useRunningClock(run);
  const { work, synchronous, stream, phase } = run;
  const under = now ?? 0;
  const marks = marksFor(Math.max(endOf(synchronous), endOf(stream), under) || EMPTY_AXIS);
  const rows = run.visits || VISITS;
  const waited = { rows, marks };
  return (
    <div class="comparison-race">
      <figure class="comparison-side">
        <figcaption>
          <strong>Synchronous</strong> the visitor waits until his visit is counted
        </figcaption>
        <Timeline
          {...waited}
          visits={synchronous}
          workMs={work?.workMs ?? 0}
          label={labelOf("synchronous backend", figuresOf(synchronous))}
          {...(phase === "synchronous" ? { now: under } : {})}
        />
      </figure>
      <figure class="comparison-side">
        <figcaption>
          <strong>Streaming</strong> the visitor waits until his visit is safe in the queue
        </figcaption>
        <Timeline
          {...waited}
          visits={stream}
          workMs={0}
          label={labelOf("stream", figuresOf(stream))}
          {...(phase === "stream" || phase === "counting" ? { now: under } : {})}
        />
      </figure>
      <Axis {...marks} />
      <ul class="legend">
        <li class="legend-wait">a visitor waits</li>
        <li class="legend-work">of that, the work for his own visit</li>
        <li class="legend-behind">worked off behind the queue</li>
        <li class="legend-counted">counted</li>
      </ul>
    </div>
  );
}

function labelOf(what: string, { answers, p50, allCounted }: Figures): string {
  if (p50 === undefined) return `Bars of the ${what}: none yet`;
  const counted = allCounted === undefined ? "" : `, all counted after ${formatSpan(allCounted)}`;
  return `Bars of the ${what}: ${answers} answers, a wait of ${formatSpan(p50)} at the median${counted}`;
}

/** Moves with the pictures of the screen while a side is under way. */
function useRunningClock({ phase, startedAt }: Run): number | undefined {
  const [now, setNow] = useState<number | undefined>(undefined);
  const running = phase === "synchronous" || phase === "stream" || phase === "counting";
  useEffect(() => {
    if (!running) {
      setNow(undefined);
      return;
    }
    let frame = requestAnimationFrame(function next() {
      setNow(performance.now() - startedAt);
      frame = requestAnimationFrame(next);
    });
    return () => cancelAnimationFrame(frame);
  }, [running, startedAt]);
  return now;
}
