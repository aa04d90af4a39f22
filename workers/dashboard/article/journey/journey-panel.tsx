/** JourneyPanel: the stations of one event, each with the time at which it was there. */
import type { ComponentChildren, JSX } from "preact";
import { formatSpan, formatValue } from "../../parts/format.ts";
import { KeyText } from "../../parts/key-text.tsx";
import { ErrorNote } from "../../parts/notes.tsx";
import type { Told } from "../deployment.ts";
import { Panel } from "../idea.tsx";
import { journey } from "./current.ts";
import type { Journey } from "./journey.ts";
import { stopsOf } from "./journey.ts";
import { SendOne } from "./send-one.tsx";

export interface JourneyPanelProps {
  readonly told: Told | undefined;
  readonly views: readonly string[];
}

export function JourneyPanel({ told, views }: JourneyPanelProps): JSX.Element {
  const now = journey.value;
  return (
    <Panel
      title="Follow one event"
      hint="The first time is this browser’s; the others are spans of the server’s clock, from accepting the event to committing it, as its ticket tells them."
    >
      <SendOne source={told?.source} views={views} />
      {now?.problem === undefined ? null : <ErrorNote title="The journey broke off" problem={now.problem} />}
      <ol class="stations" aria-live="polite">
        {stationsOf(now, told).map(({ id, reached, what, when }) => (
          <li key={id} class={`station ${reached ? "station-reached" : ""}`} data-station={id}>
            <span class="station-what">{what}</span>
            <span class="station-when">{when}</span>
          </li>
        ))}
      </ol>
    </Panel>
  );
}

interface Station {
  readonly id: string;
  readonly reached: boolean;
  readonly what: ComponentChildren;
  readonly when: ComponentChildren;
}

function stationsOf(now: Journey | undefined, told: Told | undefined): Station[] {
  const source = now?.source ?? told?.source ?? "the source";
  const accepted = now?.acceptedMs;
  const stops =
    now?.ticket === undefined
      ? (told?.first ?? []).map(({ operator }) => ({ operator, applied: false }))
      : stopsOf(now.ticket);
  const counts = now?.counts;
  return [
    {
      id: "sent",
      reached: now !== undefined,
      what: <>The page sends {now === undefined ? "the URL" : <KeyText text={now.url} max={40} />}</>,
      when: now === undefined ? "" : "0 ms",
    },
    {
      id: "accepted",
      reached: accepted !== undefined,
      what: (
        <>
          The source <code>{source}</code> makes an event of it, and the queue has it: 202
        </>
      ),
      when: accepted === undefined ? waiting(now) : formatSpan(accepted),
    },
    ...stops.map((stop) => ({
      id: `applied-${stop.operator}`,
      reached: stop.applied,
      what: (
        <>
          The operator <code>{stop.operator}</code> applies it
          {"shard" in stop && stop.applied ? `, in shard ${stop.shard}` : ""}
          {"lsn" in stop && stop.lsn !== undefined ? `, with commit ${stop.lsn}` : ""}
        </>
      ),
      when: stop.applied
        ? "tookMs" in stop && stop.tookMs !== undefined
          ? `+${formatSpan(stop.tookMs)}`
          : "done"
        : waiting(now),
    })),
    {
      id: "counted",
      reached: counts !== undefined,
      what:
        counts === undefined || counts.length === 0 ? (
          "The view shows it"
        ) : (
          <>
            The view shows it:{" "}
            {counts.map(({ view, value }) => (
              <span key={view}>
                <code>{view}</code> is now{" "}
                <strong>
                  <KeyText text={formatValue(value)} max={40} />
                </strong>{" "}
              </span>
            ))}
          </>
        ),
      when: counts === undefined ? waiting(now) : "",
    },
  ];
}

function waiting(now: Journey | undefined): string {
  return now === undefined || now.problem !== undefined ? "" : "…";
}
