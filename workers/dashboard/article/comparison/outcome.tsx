/** Outcome: the figures of a comparison, what can be read off them, and how they were measured. */
import type { JSX } from "preact";
import { formatRate, formatSpan } from "../../parts/format.ts";
import { Table } from "../../parts/table.tsx";
import type { Figures } from "./figures.ts";
import { figuresOf, verdictOf } from "./figures.ts";
import type { Run } from "./use-comparison.ts";

interface Line {
  readonly what: string;
  readonly of: (figures: Figures, visits: number) => string;
}

const LINES: readonly Line[] = [
  { what: "Answers", of: ({ answers }, visits) => (visits === 0 ? "–" : `${answers} of ${visits}`) },
  { what: "Wait, at the median", of: ({ p50 }) => span(p50) },
  { what: "Wait, 95% at most", of: ({ p95 }) => span(p95) },
  {
    what: "Answers a second",
    of: ({ perSecond }) => (perSecond === undefined ? "–" : formatRate(perSecond)),
  },
  { what: "All counted after", of: ({ allCounted }) => span(allCounted) },
];

export function Outcome({ run }: { readonly run: Run }): JSX.Element {
  const [synchronous, stream] = [figuresOf(run.synchronous), figuresOf(run.stream)];
  return (
    <>
      <div class="comparison-outcome">
        <Table
          caption="What the visitors waited, and how fast it went"
          rowId={({ what }) => what}
          rows={LINES}
          columns={[
            { header: "Measured", cell: ({ what }) => what },
            { header: "Synchronous", numeric: true, cell: (line) => line.of(synchronous, run.visits) },
            { header: "Streaming", numeric: true, cell: (line) => line.of(stream, run.visits) },
          ]}
        />
        <div class="comparison-verdict" role="status">
          {run.phase === "done" ? (
            verdictOf(synchronous, stream).map((sentence) => <p key={sentence}>{sentence}</p>)
          ) : (
            <p>{PHASES[run.phase]}</p>
          )}
        </div>
      </div>
      <p class="panel-hint">
        Waits are measured in this browser, from the call to the answer of <code>{location.host}</code>. The
        visits go to one backend after the other, so that neither takes the other’s time, and a first one to
        each, which wakes it up, is left out; both are drawn from zero. When a visit behind the queue was
        counted is what its ticket says, by the server’s clock, which is put on this one: each visit was
        accepted between its call and its answer. On one machine there is no network in between, and all of it
        shares the same processors.
      </p>
    </>
  );
}

const PHASES: Readonly<Record<Run["phase"], string>> = {
  idle: "Nothing has been measured yet.",
  waking: "One visit to each wakes both up; it is not measured.",
  synchronous: "The visitors of the synchronous backend are waiting.",
  stream: "The visitors of the stream are being answered.",
  counting: "All visitors have their answers; the stream is counting.",
  done: "",
};

function span(ms: number | undefined): string {
  return ms === undefined ? "–" : formatSpan(ms);
}
