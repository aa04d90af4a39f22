/** DeadLetter: one event or message that could not be applied: why, when, what it says, and a button to try it again. */
import type { JSX } from "preact";
import type { DeadLetter as Letter } from "../api/types.ts";
import { Button } from "../parts/button.tsx";
import { KeyText } from "../parts/key-text.tsx";
import { Time } from "../parts/time.tsx";

export interface DeadLetterProps {
  readonly letter: Letter;
  readonly disabled: boolean;
  readonly onRedrive: () => void;
}

/** Characters of an event that are shown: it may be as long as a message. */
const SHOWN = 2_000;

export function DeadLetter({ letter, disabled, onRedrive }: DeadLetterProps): JSX.Element {
  const message = letter.kind === "message";
  const stuck = message && !letter.redrivable;
  return (
    <li class="graph-letter">
      <p class="graph-letter-error">
        <KeyText text={message ? letter.reason : letter.error} max={300} />
      </p>
      <p class="graph-letter-about">
        <Time at={letter.time} form="date" /> · {message ? `message of ${letter.queue}` : origin(letter)} ·{" "}
        <code>{letter.id}</code>
      </p>
      <pre class="graph-letter-event">
        <KeyText text={message ? letter.body : contentOf(letter)} max={SHOWN} />
      </pre>
      <Button
        disabled={disabled || stuck}
        onClick={onRedrive}
        label={`${stuck ? "Cannot be redriven:" : "Redrive"} ${letter.id}`}
        title={
          stuck ? "What is wrong with it would be wrong again." : "Send it again, under its old identity"
        }
      >
        {stuck ? "Cannot be redriven" : "Redrive"}
      </Button>
    </li>
  );
}

type Event = Extract<Letter, { kind: "event" }>;

function origin({ source, operator, events }: Event): string {
  const many = events > 1 ? `${events} events` : "an event";
  return `${many} from ${source}, at ${operator}`;
}

/** As it was given to the operator; of events combined before the queue, what they came to. */
function contentOf({ event, record, timer }: Event): string {
  return JSON.stringify(event?.data ?? record ?? timer ?? null);
}
