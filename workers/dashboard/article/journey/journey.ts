/** Journey: one event on its way, from the click to the view, as far as it has come. */
import type { Accepted, KeyAnswer, Ticket } from "../../api/types.ts";

export interface Journey {
  readonly source: string;
  readonly url: string;
  /** From the click to the 202, ms, in the browser. */
  readonly acceptedMs?: number;
  readonly ticketId?: string;
  readonly ticket?: Ticket;
  /** From the click until the page knew that it was applied, ms, in the browser. */
  readonly knownMs?: number;
  readonly counts?: readonly Counted[];
  /** Why it did not go on. */
  readonly problem?: string;
}

/** What a view says of the event's key. */
export interface Counted {
  readonly view: string;
  readonly value: unknown;
}

export interface JourneyPorts {
  now(): number;
  sleep(ms: number): Promise<void>;
  accept(source: string, url: string): Promise<Accepted>;
  ask(ticket: string): Promise<Ticket>;
  /** Undefined where the view has no such key. */
  look(view: string, key: string): Promise<KeyAnswer | undefined>;
}

export interface JourneyOptions {
  readonly source: string;
  readonly url: string;
  /** Views that count by URL, and so can say what became of the event. */
  readonly views: readonly string[];
  readonly onChange: (journey: Journey) => void;
  readonly signal: AbortSignal;
}

const ASK_EVERY_MS = 60;

/** @throws what the ports do; when it is aborted. */
export async function travel(ports: JourneyPorts, options: JourneyOptions): Promise<Journey> {
  const { source, url, views, onChange, signal } = options;
  const start = ports.now();
  let journey: Journey = { source, url };
  const go = (more: Partial<Journey>) => {
    signal.throwIfAborted();
    journey = { ...journey, ...more };
    onChange(journey);
  };
  go({});
  const { ticket: ticketId, accepted, rejected } = await ports.accept(source, url);
  if (accepted === 0) throw new Error(rejected[0]?.error ?? "it was not accepted");
  go({ acceptedMs: ports.now() - start, ticketId });
  for (;;) {
    const ticket = await ports.ask(ticketId);
    const applied = ticket.state === "applied";
    go({ ticket, ...(applied ? { knownMs: ports.now() - start } : {}) });
    if (applied) break;
    await ports.sleep(ASK_EVERY_MS);
  }
  const answers = await Promise.all(
    views.map(async (view) => ({ view, answer: await ports.look(view, url) })),
  );
  const counts = answers.flatMap(({ view, answer }) =>
    answer === undefined ? [] : [{ view, value: answer.value }],
  );
  go({ counts });
  return journey;
}

/** An operator's part of a ticket: where the event was applied, and how long after it was accepted. */
export interface Stop {
  readonly operator: string;
  readonly applied: boolean;
  readonly shard?: number;
  readonly lsn?: number;
  readonly tookMs?: number;
}

export function stopsOf({ arrival, operators }: Ticket): Stop[] {
  return operators.map(({ operator, state, shards }) => {
    const [place] = shards;
    return {
      operator,
      applied: state === "applied",
      ...(place === undefined ? {} : { shard: place.shard }),
      ...(place?.lsn === undefined ? {} : { lsn: place.lsn }),
      ...tookMs(
        arrival,
        shards.flatMap(({ appliedAt }) => (appliedAt === undefined ? [] : [appliedAt])),
      ),
    };
  });
}

/** From acceptance to the last commit, by the server's clock; nothing where it no longer knows. */
export function tookMs(arrival: string | undefined, appliedAt: readonly string[]): { tookMs?: number } {
  if (arrival === undefined || appliedAt.length === 0) return {};
  return { tookMs: Math.max(...appliedAt.map((at) => Date.parse(at))) - Date.parse(arrival) };
}
