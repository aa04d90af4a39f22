/** Tickets: what became of an ingest request, asked of exactly the shards that it touches; nothing is stored for it. */
import type * as v from "valibot";
import type { SegmentId } from "../../engine/segment.ts";
import type { SegmentOutcome } from "../../engine/shard/recent-segments.ts";
import type { OperatorPlan, Plan, Target } from "../../plan.ts";
import { Problem, shorten } from "../http/problem.ts";
import type { Ticket, TicketOperator } from "../http/ticket.ts";
import { decodeTicket } from "../http/ticket.ts";
import type { ShardRpc } from "../rpc.ts";
import { isUnknownMethod } from "../rpc.ts";
import type { QueryApp, QueryContext, QueryEnv } from "./env.ts";
import { described, only, parameters, scoped } from "./routing.ts";
import { ticketSchema } from "./schemas.ts";
import { ask } from "./shards.ts";

type TicketAnswer = v.InferOutput<typeof ticketSchema>;
type ShardAnswer = TicketAnswer["operators"][number]["shards"][number];

export function addTickets(app: QueryApp, context: QueryContext): void {
  app.get(
    "/v1/tickets/:id",
    described("tickets", {
      summary: "What became of an ingest request",
      description:
        "It reaches as far as the first operators with shards behind the source, stages among them, and no further. " +
        "Applied: they have it, and a view shows it; what they emit to others (`beyond`) is on its way there by itself. " +
        "In flight: not yet, or it was dead-lettered as a whole message, which `/v1/dead-letters` shows. Good for 14 " +
        "days: after that, what was applied is forgotten and reads as in flight.",
      answer: ticketSchema,
      errors: [404],
    }),
    scoped("read"),
    parameters({}),
    async (c) => c.json(await readTicket(c.env, context, c.req.param("id"))),
  );
  only(app, "/v1/tickets/:id", "GET");
}

/** @throws Problem 404 when it is no ticket, or none of this deployment. */
async function readTicket(env: QueryEnv, context: QueryContext, id: string): Promise<TicketAnswer> {
  const ticket = decodeTicket(id);
  if (ticket === undefined) throw new Problem(404, "this is no ticket; pass it on as the 202 gave it");
  const parts = planned(context.plan, ticket);
  const operators = await Promise.all(
    parts.map(async ({ operator, part }) => {
      const shards = await Promise.all(
        [...segmentsByShard(ticket, part)].map(async ([shard, segments]) => {
          const outcomes = await ask(env, context, operator, shard, (rpc) => outcomesOf(rpc, segments));
          return { shard, outcomes };
        }),
      );
      shards.sort((a, b) => a.shard - b.shard);
      return { operator: operator.name, shards };
    }),
  );
  const beyond = beyondOf(parts.map(({ operator }) => operator));
  const answers = operators.map(({ operator, shards }): TicketAnswer["operators"][number] => {
    const known = shards.map(({ shard, outcomes }) => ({ shard, ...answerOf(outcomes) }));
    return { operator, state: stateOf(known.every(isApplied)), shards: known };
  });
  return {
    ticket: id,
    source: ticket.source,
    state: stateOf(answers.every(isApplied)),
    ...arrivalOf(operators.flatMap(({ shards }) => shards.flatMap(({ outcomes }) => outcomes))),
    operators: answers,
    ...(beyond.length === 0 ? {} : { beyond }),
  };
}

type Outcome = SegmentOutcome | boolean;

/** Also of a shard that an older deploy has left: it tells the state alone. */
async function outcomesOf(rpc: ShardRpc, segments: readonly SegmentId[]): Promise<readonly Outcome[]> {
  try {
    return await rpc.outcomes(segments);
  } catch (error) {
    if (!isUnknownMethod(error)) throw error;
    return rpc.applied(segments);
  }
}

/** What became of the segments of a ticket that touch one shard. */
function answerOf(outcomes: readonly Outcome[]): Omit<ShardAnswer, "shard"> {
  const known = outcomes.filter(isKnown);
  const last = known.toSorted((a, b) => a.lsn - b.lsn).at(-1);
  const state = stateOf(!outcomes.includes(false));
  // Half of it would be taken for all.
  if (state === "in-flight" || last === undefined || known.length < outcomes.length) return { state };
  return {
    state,
    appliedAt: new Date(last.time).toISOString(),
    lsn: last.lsn,
    late: known.reduce((sum, { late }) => sum + late, 0),
    dead: known.reduce((sum, { dead }) => sum + dead, 0),
  };
}

function arrivalOf(outcomes: readonly Outcome[]): { arrival?: string } {
  const [first] = outcomes
    .filter(isKnown)
    .map(({ arrival }) => arrival)
    .toSorted((a, b) => a - b);
  return first === undefined ? {} : { arrival: new Date(first).toISOString() };
}

function isKnown(outcome: Outcome): outcome is SegmentOutcome {
  return typeof outcome === "object";
}

/** The operators behind those of a ticket, in the order of the graph. */
function beyondOf(first: readonly OperatorPlan[]): string[] {
  const met = new Set<Target>();
  const visit = (operator: OperatorPlan): void => {
    for (const next of operator.outputs.targets) {
      if (next.kind === "local" || met.has(next)) continue;
      met.add(next);
      visit(next);
    }
  };
  for (const operator of first) visit(operator);
  const reached = new Set(first.map(({ name }) => name));
  return [...met].map(({ name }) => name).filter((name) => !reached.has(name));
}

/** The operators that a ticket names, as they are planned. Anyone can write a ticket: nothing in it is taken on trust. */
function planned(plan: Plan, ticket: Ticket): { operator: OperatorPlan; part: TicketOperator }[] {
  if (!plan.sources.has(ticket.source)) throw notOurs(`no source "${shorten(ticket.source)}"`);
  return ticket.operators.flatMap((part) => {
    // What was on its way to an operator that is no more has been dropped, on purpose.
    if (plan.retired.has(part.name)) return [];
    const operator = plan.operators.get(part.name);
    if (operator === undefined || !operator.sources.includes(ticket.source)) {
      throw notOurs(`no operator "${shorten(part.name)}" behind the source "${ticket.source}"`);
    }
    if (part.shards.flat().some((shard) => shard >= operator.shards)) {
      throw notOurs(`no more than ${operator.shards} shards of the operator "${operator.name}"`);
    }
    return [{ operator, part }];
  });
}

function notOurs(what: string): Problem {
  return new Problem(404, `this ticket is not of this deployment, which has ${what}`);
}

/** For each shard that is touched, the segments that touch it. */
function segmentsByShard(
  { producer, sequence }: Ticket,
  { shards }: TicketOperator,
): Map<number, SegmentId[]> {
  const touching = new Map<number, SegmentId[]>();
  shards.forEach((touched, n) => {
    for (const shard of touched) {
      const segments = touching.get(shard) ?? [];
      touching.set(shard, segments);
      segments.push({ producer, sequence: sequence + n });
    }
  });
  return touching;
}

function stateOf(applied: boolean): "applied" | "in-flight" {
  return applied ? "applied" : "in-flight";
}

function isApplied({ state }: { readonly state: string }): boolean {
  return state === "applied";
}
