/** Follow: sends a line and watches its way, from the 202 over each operator of its ticket to the values that it changed. */
import { ApiProblem, describe } from "../../api/problem.ts";
import type { Accepted as AcceptedAnswer, Ticket } from "../../api/types.ts";
import type { OpenSource, ReachedView } from "../sources.ts";
import type { Accepted, Line, LineState, ShownValue, Way } from "./line.ts";
import { keysOf } from "./line.ts";

/** The world as `follow` needs it. Times are ms. */
export interface Ports {
  post(
    source: string,
    text: string,
    idempotencyKey: string,
  ): Promise<{ readonly body: AcceptedAnswer; readonly ms: number }>;
  ticket(id: string): Promise<Ticket>;
  /** The newest value of a key; undefined when there is none. */
  value(view: ReachedView, key: string): Promise<ShownValue | undefined>;
  now(): number;
  wait(ms: number): Promise<void>;
}

const FIRST_PAUSE_MS = 40;
const LONGEST_PAUSE_MS = 4_000;
const PATIENCE_MS = 60_000;
/** What an operator emits is there soon after it has it, or does not come to this key at all. */
const BEYOND_MS = 10_000;

/**
 * @param show called with each state in turn.
 * @param sent called when the request is answered, whatever the answer: the next line may go.
 */
export async function follow(
  line: Pick<Line, "id" | "text">,
  source: OpenSource,
  ports: Ports,
  show: (state: LineState) => void,
  sent: () => void = () => {},
): Promise<void> {
  show({ step: "sent" });
  const keys = keysOf(line.text);
  const beyond = source.views.filter(({ direct }) => !direct);
  const began = ports.now();
  // No ticket reaches so far: that the value has changed is what there is to see.
  const before = beyond.length === 0 ? [] : await valuesOf(beyond, keys, ports);
  const answer = await post(line, source, ports, show).finally(sent);
  if (answer === undefined) return;
  const { body, ms } = answer;
  let state: Accepted = { step: "accepted", ms, events: body.accepted, ways: [], values: [] };
  const note = (news: Partial<Accepted>) => {
    state = { ...state, ...news };
    show(state);
  };
  show(state);

  const deadline = began + PATIENCE_MS;
  const applied = await untilTrue(ports, deadline, async () => {
    const ticket = await ports.ticket(body.ticket).catch((thrown: unknown) => {
      note({ trouble: describe(thrown) });
      return undefined;
    });
    if (ticket === undefined) return false;
    const { trouble: _, ...rest } = state;
    state = rest;
    const seenMs = ports.now() - began;
    const ways = waysOf(ticket, state.ways, seenMs);
    const news = ways.filter(({ operator, applied }) => applied && !isApplied(state.ways, operator));
    note({ ways });
    const fresh = source.views.filter((view) => news.some(({ operator }) => operator === view.operator));
    const values = await valuesOf(fresh, keys, ports);
    if (values.length > 0) note({ values: [...state.values, ...values] });
    return ticket.state === "applied";
  });
  if (!applied) return note({ end: "in-flight" });
  if (beyond.length > 0) {
    await untilTrue(ports, Math.min(deadline, ports.now() + BEYOND_MS), async () => {
      const values = (await valuesOf(beyond, keys, ports)).filter((value) => isNews(value, before));
      const others = state.values.filter(({ view }) => !beyond.some((one) => one.view === view));
      if (values.length > 0) note({ values: [...others, ...values] });
      return beyond.every(({ view }) => values.some((value) => value.view === view));
    });
  }
  note({ end: "applied" });
}

/** @returns undefined when it was not accepted, which is shown. */
async function post(
  { id, text }: Pick<Line, "id" | "text">,
  { name }: OpenSource,
  ports: Ports,
  show: (state: LineState) => void,
): Promise<Awaited<ReturnType<Ports["post"]>> | undefined> {
  try {
    return await ports.post(name, text, id);
  } catch (thrown) {
    if (!(thrown instanceof ApiProblem) || thrown.status === 0) {
      show({ step: "unanswered", reason: describe(thrown) });
      return undefined;
    }
    const [rejection] = thrown.rejected;
    const { retryAfter } = thrown;
    const reason = rejection?.error ?? thrown.detail;
    show({ step: "refused", reason, ...(retryAfter === undefined ? {} : { retryAfter }) });
    return undefined;
  }
}

/** Looks again and again, more and more seldom. @returns false when the time is over before. */
async function untilTrue(
  ports: Pick<Ports, "now" | "wait">,
  deadline: number,
  look: () => Promise<boolean>,
): Promise<boolean> {
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS)) {
    if (await look()) return true;
    if (ports.now() + pause > deadline) return false;
    await ports.wait(pause);
  }
}

/** Values that cannot be read are not shown. */
async function valuesOf(
  views: readonly ReachedView[],
  keys: readonly string[],
  ports: Pick<Ports, "value">,
): Promise<ShownValue[]> {
  const reads = views.flatMap((view) => keys.map((key) => ports.value(view, key).catch(() => undefined)));
  return (await Promise.all(reads)).filter((value) => value !== undefined);
}

function waysOf({ arrival, operators }: Ticket, before: readonly Way[], seenMs: number): Way[] {
  return operators.map(({ operator, state, shards }): Way => {
    const known = before.find((way) => way.operator === operator);
    if (known?.applied) return known;
    const applied = state === "applied";
    return {
      operator,
      applied,
      shards: shards.map(({ shard, appliedAt, late = 0, dead = 0 }) => {
        const after = Date.parse(appliedAt ?? "") - Date.parse(arrival ?? "");
        // Of two machines, whose clocks may differ.
        return Number.isNaN(after)
          ? { shard, late, dead }
          : { shard, late, dead, afterMs: Math.max(0, after) };
      }),
      ...(applied ? { seenMs } : {}),
    };
  });
}

function isApplied(ways: readonly Way[], operator: string): boolean {
  return ways.some((way) => way.operator === operator && way.applied);
}

function isNews(value: ShownValue, before: readonly ShownValue[]): boolean {
  const earlier = before.find(
    ({ view, key, window }) =>
      view === value.view && key === value.key && window?.start === value.window?.start,
  );
  return earlier === undefined || JSON.stringify(earlier.value) !== JSON.stringify(value.value);
}
