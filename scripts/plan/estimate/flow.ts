/**
 * Flow: how many events, messages, calls and commits a workload makes at each operator, one after the other downstream.
 *
 * What is modelled: a request becomes messages of one source; a batch of messages makes one call to each shard that it
 * touches, and a call is a commit. What a commit emits goes to each shard that it touches in one call, at most: under
 * load the outbox hands over several commits at once. To a stage it goes by its queue, where each request, or upstream
 * commit, is committed by itself. An aggregate emits once for each key that a commit changes.
 */
import type { OperatorPlan, Plan, SourcePlan } from "../../../src/plan.ts";
import { isCombined, isTimed } from "../../../src/plan.ts";
import { batchOf, holdsOf, secondsOf } from "./pace.ts";
import type { Workload } from "./workload.ts";
import { sourceOf, waysFrom } from "./workload.ts";

/** Assumed: what a key with its small accumulator takes, in a message and in a page of state; and what an event takes. */
export const RECORD_BYTES = 60;
export const EVENT_BYTES = 200;
const MESSAGE_BYTES = 63_000;
const STAGE_MESSAGE_BYTES = 60_000;
/** What an outbox hands over at once. */
const CALL_BYTES = 1_000_000;

/** What a source makes: of requests over HTTP, or of answers when it is asked. */
export interface SourceFlow {
  readonly kind: "http" | "pull";
  readonly events: number;
  readonly requests: number;
  readonly messagesARequest: number;
  readonly messages: number;
  readonly batches: number;
  readonly messagesABatch: number;
  /** Whether something behind it goes by event time; then, what it tells of its sending. */
  readonly isTimed: boolean;
  readonly holds: number;
}

/** What comes to an operator. */
export interface OperatorFlow {
  readonly operator: OperatorPlan;
  readonly events: number;
  /** Calls to its shards, each a commit, by whom they come from. */
  readonly inputs: readonly Input[];
  readonly commits: number;
  /** Of a stage. */
  readonly messages: number;
  readonly messagesABatch: number;
}

export interface Input {
  readonly from: string;
  readonly what: "batch" | "commit" | "request" | "answer";
  readonly times: number;
  /** Shards that one of them touches, on average. */
  readonly shards: number;
  /** What goes to one shard is cut into so many. */
  readonly pieces: number;
  readonly calls: number;
  readonly messages: number;
}

/** What sets out: `times` times `events / times` events. */
interface Emission {
  readonly what: "commit" | "request" | "answer";
  readonly events: number;
  readonly times: number;
}

export function flowOf(plan: Plan, workload: Workload): { source: SourceFlow; operators: OperatorFlow[] } {
  const origin = sourceOf(plan, workload.source);
  const { events, batch, keys } = workload;
  const pull = "kind" in origin ? origin : undefined;
  const ways = waysFrom(plan, origin.name, workload);
  const requests = Math.ceil(events / Math.min(batch, pull?.limit ?? batch));
  const bytes = ways.reduce((sum, { target, factor }) => {
    const there = Math.min(batch, events) * factor;
    const operator = plan.operators.get(target);
    // Events of one key are combined within a request.
    return (
      sum +
      (operator !== undefined && isCombined(operator)
        ? Math.min(there, keys) * RECORD_BYTES
        : there * EVENT_BYTES)
    );
  }, 0);
  const messagesARequest = pull === undefined ? Math.max(1, Math.ceil(bytes / MESSAGE_BYTES)) : 0;
  const messages = requests * messagesARequest;
  const seconds = secondsOf(workload);
  const messagesABatch = pull === undefined ? batchOf((origin as SourcePlan).queue, messages, seconds) : 1;
  const timed = pull === undefined && isTimed(origin as SourcePlan);
  const source: SourceFlow = {
    kind: pull === undefined ? "http" : "pull",
    ...{ events, requests, messagesARequest, messages, messagesABatch },
    batches: Math.ceil(messages / messagesABatch),
    isTimed: timed,
    holds: timed ? holdsOf(requests, seconds) : 0,
  };

  const flows = new Map<string, OperatorFlow>();
  const reached = reachedFrom(plan, origin.name);
  for (const name of reached) flow(name);
  return { source, operators: reached.map((name) => flows.get(name) as OperatorFlow) };

  function flow(name: string): OperatorFlow {
    const known = flows.get(name);
    if (known !== undefined) return known;
    const operator = plan.operators.get(name) as OperatorPlan;
    const inputs: Input[] = [];
    let all = 0;
    for (const from of operator.sources) {
      if (from !== origin.name && !reached.includes(from)) continue;
      const factor = factorBetween(from, name);
      const emission = from === origin.name ? ofSource() : ofOperator(flow(from));
      const events = emission.events * factor;
      if (events === 0) continue;
      all += events;
      inputs.push(inputOf(operator, from, emission, events));
    }
    const sum = (of: (input: Input) => number) => inputs.reduce((total, input) => total + of(input), 0);
    const queued = sum((input) => input.messages);
    const made = {
      operator,
      events: all,
      inputs,
      commits: sum(({ calls }) => calls),
      messages: queued,
      messagesABatch: operator.kind === "stage" ? batchOf(operator.queue, queued, seconds) : 1,
    };
    flows.set(name, made);
    return made;
  }

  function factorBetween(from: string, to: string): number {
    return waysFrom(plan, from, workload)
      .filter(({ target }) => target === to)
      .reduce((sum, { factor }) => sum + factor, 0);
  }

  function ofSource(): Emission {
    return { what: pull === undefined ? "request" : "answer", events, times: requests };
  }

  function ofOperator({ operator, events, commits, inputs }: OperatorFlow): Emission {
    const what = "commit";
    if (isCombined(operator)) {
      const changed = commits === 0 ? 0 : Math.min(events / commits, Math.ceil(keys / operator.shards));
      return { what, events: commits * changed, times: commits };
    }
    // The table of an enrich is kept, not handed on.
    const kept = inputs.reduce((sum, { from }) => sum + tableEvents(from, operator.name), 0);
    return { what, events: Math.max(0, events - kept), times: commits };
  }

  function tableEvents(from: string, to: string): number {
    const emission = from === origin.name ? ofSource() : ofOperator(flow(from));
    return waysFrom(plan, from, workload)
      .filter(({ target, port }) => target === to && port > 0)
      .reduce((sum, { factor }) => sum + emission.events * factor, 0);
  }

  function inputOf(operator: OperatorPlan, from: string, emission: Emission, events: number): Input {
    const isQueued = emission.what === "request";
    const isStage = operator.kind === "stage";
    const what = isQueued && !isStage ? "batch" : emission.what;
    const times = isQueued && !isStage ? source.batches : emission.times;
    const each = isCombined(operator) ? Math.min(events / times, keys) : events / times;
    const shards = touchedOf(operator.shards, each);
    if (isQueued) {
      const calls = Math.ceil(times * shards);
      // What a batch of the source's queue holds for a stage is packed anew, request by request.
      const sends = Math.min(source.batches, Math.ceil(events));
      const messages = isStage ? sends * piecesOf(events / sends, STAGE_MESSAGE_BYTES) : 0;
      return { from, what, times, shards, pieces: 1, calls, messages };
    }
    const pieces = piecesOf(each / shards, isStage ? STAGE_MESSAGE_BYTES : CALL_BYTES);
    const calls = Math.ceil(times * shards) * pieces;
    return { from, what, times, shards, pieces, calls, messages: isStage ? calls : 0 };
  }
}

/** How many shards so many keys fall into, on average, in hundredths: where each is as likely as any other. */
function touchedOf(shards: number, keys: number): number {
  if (keys <= 1) return keys;
  return Math.round(shards * (1 - (1 - 1 / shards) ** keys) * 100) / 100;
}

function piecesOf(events: number, limit: number): number {
  return Math.max(1, Math.ceil((events * EVENT_BYTES) / limit));
}

/** The operators downstream of one, by name, those upstream first. */
function reachedFrom(plan: Plan, origin: string): string[] {
  const reached = new Set<string>();
  const visit = (name: string) => {
    for (const operator of plan.operators.values()) {
      if (reached.has(operator.name) || !operator.sources.includes(name)) continue;
      reached.add(operator.name);
      visit(operator.name);
    }
  };
  visit(origin);
  const ordered: string[] = [];
  const place = (name: string) => {
    if (ordered.includes(name)) return;
    const upstream = plan.operators.get(name)?.sources ?? [];
    for (const from of upstream) if (reached.has(from)) place(from);
    ordered.push(name);
  };
  for (const name of reached) place(name);
  return ordered;
}
