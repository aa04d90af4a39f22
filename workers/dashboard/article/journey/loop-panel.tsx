/** LoopPanel: the executor's loop, one step after the other, with what the last event's turn of it was. */
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Health } from "../../api/types.ts";
import { Button } from "../../parts/button.tsx";
import { formatNumber, formatSpan } from "../../parts/format.ts";
import { KeyText } from "../../parts/key-text.tsx";
import type { Told } from "../deployment.ts";
import { queueOf } from "../deployment.ts";
import { Panel } from "../idea.tsx";
import { journey } from "./current.ts";
import type { Journey } from "./journey.ts";
import { stopsOf } from "./journey.ts";
import { SendOne } from "./send-one.tsx";

export interface LoopPanelProps {
  readonly told: Told | undefined;
  readonly views: readonly string[];
  readonly health: Health | undefined;
}

const STEP_MS = 1_100;

export function LoopPanel({ told, views, health }: LoopPanelProps): JSX.Element {
  const now = journey.value;
  const [step, setStep] = useState(0);
  const applied = now?.ticket?.state === "applied";
  const id = now?.ticketId;
  // Its turn of the loop took milliseconds: here it is shown again, slowly.
  useEffect(() => {
    setStep(0);
    if (!applied || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    const timer = setInterval(() => setStep((before) => Math.min(before + 1, STEPS.length)), STEP_MS);
    return () => clearInterval(timer);
  }, [applied, id]);
  return (
    <Panel
      title="Step through the loop"
      hint="The loop’s turn was over in milliseconds; the steps are shown again, slowly, with what is known of it."
    >
      <SendOne source={told?.source} views={views} />
      <ol class="loop">
        {STEPS.map(({ name, tell }, i) => (
          <li
            key={name}
            class={i === step % STEPS.length ? "loop-here" : ""}
            aria-current={i === step % STEPS.length ? "step" : undefined}
          >
            <strong>{name}</strong>
            <span>{tell(told, now, health)}</span>
          </li>
        ))}
      </ol>
      <p class="loop-more">
        <Button onClick={() => setStep((before) => before + 1)}>Next step</Button>
      </p>
    </Panel>
  );
}

interface Step {
  readonly name: string;
  readonly tell: (
    told: Told | undefined,
    now: Journey | undefined,
    health: Health | undefined,
  ) => ComponentChildren;
}

const STEPS: readonly Step[] = [
  {
    name: "Take",
    tell(told, now, health) {
      const queue = told && queueOf(health, told.source);
      const waiting = queue?.backlog?.messages;
      return (
        <>
          a batch of messages from <code>{queue?.queue ?? "the queue"}</code>
          {waiting === undefined ? "" : `, in which ${formatNumber(waiting)} wait now`}
          {now === undefined ? null : (
            <>
              ; in one of them is <KeyText text={now.url} max={24} />
            </>
          )}
        </>
      );
    },
  },
  {
    name: "Apply",
    tell(told, now) {
      const stops = now?.ticket === undefined ? [] : stopsOf(now.ticket).filter(({ applied }) => applied);
      if (stops.length === 0) {
        const names = (told?.first ?? []).map(({ operator }) => operator).join(" and ");
        return `the operator to each event, in the shard that its key belongs to${names === "" ? "" : `: ${names}`}`;
      }
      return stops.map(({ operator, shard, lsn, tookMs }) => (
        <span key={operator} class="loop-stop">
          <code>{operator}</code>, shard {shard}
          {lsn === undefined ? "" : `, commit ${lsn}`}
          {tookMs === undefined ? "" : `, ${formatSpan(tookMs)} after it was accepted`}
        </span>
      ));
    },
  },
  {
    name: "Emit",
    tell(told, now) {
      const readers = now?.ticket?.beyond ?? (told?.first ?? []).flatMap(({ outputs }) => outputs);
      return readers.length === 0
        ? "what came of it: nobody reads on here, so the new value just stands in the view"
        : `what came of it, to ${readers.join(", ")}`;
    },
  },
  {
    name: "Repeat",
    tell: () =>
      "once every shard has committed its part, the messages are acknowledged, and the next are taken",
  },
];
