/** Race: the same visits, a few visitors at a time, each waiting for its answer before it sends the next. */

/** Times are in ms from the start of the race. */
export interface Visit {
  readonly n: number;
  readonly began: number;
  /** When the visitor had his answer. */
  readonly answered?: number;
  /** When the visit was worked off and counted. */
  readonly counted?: number;
  /** Answers "too much waits, try again" before this one was taken. */
  readonly refusals: number;
  readonly ticket?: string;
}

export interface Answer {
  /** Of a stream, which answers before it has done the work. */
  readonly ticket?: string;
}

/** An answer that asks to come again. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly retryAfterMs: number;

  constructor(retryAfterMs: number) {
    super(`too much waits already: try again in ${retryAfterMs} ms`);
    this.retryAfterMs = retryAfterMs;
  }
}

export interface RacePorts {
  /** Milliseconds, of a clock that only goes forward. */
  now(): number;
  sleep(ms: number): Promise<void>;
  /** @throws Refusal to try again; anything else ends the race. */
  send(n: number): Promise<Answer>;
}

export interface RaceOptions {
  readonly visits: number;
  /** Visits that are under way at the same time. */
  readonly visitors: number;
  readonly onChange: (visits: readonly Visit[]) => void;
  readonly signal: AbortSignal;
}

/** @returns all visits, in the order in which they began. @throws what `send` does; when it is aborted. */
export async function race(
  { now, sleep, send }: RacePorts,
  { visits, visitors, onChange, signal }: RaceOptions,
): Promise<readonly Visit[]> {
  const start = now();
  const all: Visit[] = [];
  const set = (visit: Visit) => {
    all[visit.n] = visit;
    onChange([...all]);
  };

  async function visit(n: number): Promise<void> {
    const began = now() - start;
    set({ n, began, refusals: 0 });
    for (let refusals = 0; ; refusals++) {
      signal.throwIfAborted();
      try {
        const { ticket } = await send(n);
        const answered = now() - start;
        set({ n, began, answered, refusals, ...(ticket === undefined ? { counted: answered } : { ticket }) });
        return;
      } catch (thrown) {
        if (!(thrown instanceof Refusal)) throw thrown;
        set({ n, began, refusals: refusals + 1 });
        await sleep(thrown.retryAfterMs);
      }
    }
  }

  let next = 0;
  async function visitor(): Promise<void> {
    while (next < visits) await visit(next++);
  }
  await Promise.all(Array.from({ length: visitors }, visitor));
  return all;
}

/** What a ticket says. Its times are of the server's clock, epoch ms, and absent once they are forgotten. */
export interface Progress {
  readonly applied: boolean;
  readonly arrival?: number;
  readonly appliedAt?: number;
}

export interface FollowPorts extends Pick<RacePorts, "sleep"> {
  /** Milliseconds since the start of the race. */
  now(): number;
  ask(ticket: string): Promise<Progress>;
}

/** Between two questions about the same ticket: few enough that asking does not disturb what is measured. */
const ASK_EVERY_MS = 100;

/** Asks for one ticket after the other until all visits are counted. @throws what `ask` does; when it is aborted. */
export async function follow(
  { now, sleep, ask }: FollowPorts,
  visits: readonly Visit[],
  { onChange, signal }: Pick<RaceOptions, "onChange" | "signal">,
): Promise<readonly Visit[]> {
  let all = [...visits];
  const times = new Map<number, Timed>();
  for (const { n, ticket, answered } of visits) {
    if (ticket === undefined || answered === undefined) continue;
    for (;;) {
      signal.throwIfAborted();
      const { applied, arrival, appliedAt } = await ask(ticket);
      if (!applied) {
        await sleep(ASK_EVERY_MS);
        continue;
      }
      if (arrival !== undefined && appliedAt !== undefined) times.set(n, { arrival, appliedAt });
      else all[n] = { ...(all[n] as Visit), counted: now() };
      break;
    }
    all = placed(all, times);
    onChange(all);
  }
  return all;
}

type Timed = Required<Pick<Progress, "arrival" | "appliedAt">>;

/**
 * Puts times of the server's clock on the page's: each visit was accepted between its call and its answer, so all of them
 * together leave the difference of the clocks little room; the middle of it is taken.
 */
function placed(visits: readonly Visit[], times: ReadonlyMap<number, Timed>): Visit[] {
  const room = visits.flatMap(({ n, began, answered }) => {
    const timed = times.get(n);
    return timed === undefined || answered === undefined
      ? []
      : [{ least: began - timed.arrival, most: answered - timed.arrival }];
  });
  const least = Math.max(...room.map((one) => one.least));
  const most = Math.min(...room.map((one) => one.most));
  return visits.map((visit) => {
    const timed = times.get(visit.n);
    return timed === undefined ? visit : { ...visit, counted: timed.appliedAt + (least + most) / 2 };
  });
}
