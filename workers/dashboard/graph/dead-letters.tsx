/** DeadLetters: lists what could not be applied, on demand, as it holds event data and needs the admin's key; and redrives it. */
import type { JSX } from "preact";
import { useEffect, useId, useState } from "preact/hooks";
import type { DeadLetter as Letter } from "../api/types.ts";
import { Button } from "../parts/button.tsx";
import { formatNumber } from "../parts/format.ts";
import { ErrorNote } from "../parts/notes.tsx";
import { key } from "../state/keys.ts";
import { DeadLetter } from "./dead-letter.tsx";
import type { LettersOf } from "./letters.ts";
import { listLetters, redriveAll, redriveOne } from "./letters.ts";

export interface DeadLettersProps {
  readonly of: LettersOf;
  /** How many health says there are. */
  readonly count?: number | undefined;
}

interface Listed {
  readonly letters: readonly Letter[];
  readonly next?: string;
}

export function DeadLetters({ of, count }: DeadLettersProps): JSX.Element {
  const title = useId();
  const [listed, setListed] = useState<Listed | undefined>(undefined);
  const [problem, setProblem] = useState<unknown>(undefined);
  const [said, setSaid] = useState("");
  const [asking, setAsking] = useState(false);
  const [working, setWorking] = useState(false);

  const work = async (task: () => Promise<void>) => {
    setWorking(true);
    setProblem(undefined);
    setAsking(false);
    try {
      await task();
    } catch (thrown) {
      setProblem(thrown);
    } finally {
      setWorking(false);
    }
  };
  const list = () => work(async () => setListed(await listLetters(of)));
  const more = (before: Listed) =>
    work(async () => {
      const page = await listLetters(of, before.next);
      setListed({ ...page, letters: [...before.letters, ...page.letters] });
    });
  const redrive = (send: () => Promise<number>) =>
    work(async () => {
      const sent = await send();
      setSaid(sent === 1 ? "1 was sent again." : `${formatNumber(sent)} were sent again.`);
      setListed(await listLetters(of));
    });

  // With another key, what was refused may be allowed.
  const refused = problem !== undefined && listed === undefined;
  useEffect(() => {
    if (refused) void list();
  }, [key.value]);

  const letters = listed?.letters ?? [];
  return (
    <section class="graph-letters" aria-labelledby={title}>
      <h3 id={title}>{"queues" in of ? "Buried messages" : "Dead letters"}</h3>
      <p class="hint">
        {"queues" in of
          ? "Messages that its queue gave up on after all retries, or that could not be read."
          : "Events that code threw on. Sent again, each counts once, whatever was applied before."}
        {count === undefined ? "" : ` Now: ${formatNumber(count)}.`}
      </p>
      <div class="graph-letters-actions">
        <Button disabled={working} onClick={() => void list()}>
          {listed === undefined ? "List them" : "List again"}
        </Button>
        {letters.length === 0 ? null : asking ? (
          <span class="graph-confirm">
            Send all of them again?
            <Button kind="strong" disabled={working} onClick={() => void redrive(() => redriveAll(of))}>
              Yes, redrive all
            </Button>
            <Button kind="quiet" onClick={() => setAsking(false)}>
              No
            </Button>
          </span>
        ) : (
          <Button disabled={working} onClick={() => setAsking(true)}>
            Redrive all …
          </Button>
        )}
      </div>
      <p class="graph-said" role="status">
        {working ? "One moment …" : said}
      </p>
      {problem === undefined ? null : <ErrorNote title="That was not done" problem={problem} />}
      {listed === undefined || letters.length > 0 ? null : <p>There are none.</p>}
      <ol class="graph-letter-list">
        {letters.map((letter) => (
          <DeadLetter
            key={letter.id}
            letter={letter}
            disabled={working}
            onRedrive={() => void redrive(() => redriveOne(letter.id))}
          />
        ))}
      </ol>
      {listed?.next === undefined ? null : (
        <Button disabled={working} onClick={() => void more(listed)}>
          More
        </Button>
      )}
    </section>
  );
}
