/** Dead letters: lists the events and messages that could not be applied, with why. They hold event data: admin only. */
import * as v from "valibot";
import { Problem, shorten } from "../http/problem.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import type { QueryApp, QueryContext, QueryEnv } from "./env.ts";
import type { Letter, LetterGroup } from "./letter-groups.ts";
import { chosenGroups, letterGroups, parseLetterId } from "./letter-groups.ts";
import { readRequest, redrive } from "./redrive.ts";
import { described, integer, only, parameters, scoped } from "./routing.ts";
import { deadLetterSchema, deadLettersSchema, redrivenSchema, redriveRequestSchema } from "./schemas.ts";
import { askAll, askGraveyard } from "./shards.ts";

const MAX_LETTERS = 100;
const DEFAULT_LETTERS = 50;
const SHORT_BODY = 1000;
/** Groups asked at a time: enough to be quick, and few enough for their letters to fit into memory. */
const AT_ONCE = 6;

const ENTRIES = {
  limit: v.optional(integer(1, MAX_LETTERS, `Entries of a page, ${DEFAULT_LETTERS} by default.`)),
  cursor: v.optional(v.pipe(v.string(), v.description("`next` of the page before."))),
  kind: v.optional(
    v.pipe(
      v.picklist(["event", "message"], "use kind=event or kind=message"),
      v.description("Only events, or only buried messages."),
    ),
  ),
  operator: v.optional(v.pipe(v.string(), v.description("Only events of this operator."))),
  body: v.optional(
    v.pipe(v.picklist(["full"], "use body=full"), v.description("Messages with their whole bodies.")),
  ),
};

type Answer = v.InferOutput<typeof deadLettersSchema>;

export function addDeadLetters(app: QueryApp, context: QueryContext): void {
  app.get(
    "/v1/dead-letters",
    described("dead-letters", {
      summary: "Events and messages that could not be applied",
      description: "By operator, shard and number, then the buried messages. Needs the scope admin.",
      answer: deadLettersSchema,
    }),
    scoped("admin"),
    parameters(ENTRIES),
    async (c) => {
      const { limit = DEFAULT_LETTERS, cursor, body, kind, operator } = c.req.valid("query");
      const groups = chosenGroups(letterGroups(c.env, context), { kind, operator });
      const [counts, page] = await Promise.all([
        countLetters(c.env, context),
        listLetters(groups, limit, cursor, body === "full"),
      ]);
      return c.json({ ...counts, ...page });
    },
  );
  app.post(
    "/v1/dead-letters/redrive",
    described("dead-letters", {
      summary: "Try dead letters again",
      description:
        "They go back under their old identity, so whatever was applied stays applied once. When it fails half-way " +
        "(503), repeat it. Needs the scope admin.",
      body: redriveRequestSchema,
      answer: redrivenSchema,
      errors: [404, 409, 413],
    }),
    scoped("admin"),
    parameters({}),
    async (c) => c.json(await redrive(c.env, context, await readRequest(c.req.raw))),
  );
  only(app, "/v1/dead-letters", "GET");
  only(app, "/v1/dead-letters/redrive", "POST");
  app.get(
    "/v1/dead-letters/:id{.+}",
    described("dead-letters", {
      summary: "One dead letter, a message with its whole body",
      description: "By its id as it is listed, percent-encoded or with its slashes. Needs the scope admin.",
      answer: deadLetterSchema,
      errors: [404],
    }),
    scoped("admin"),
    parameters({}),
    async (c) => c.json(await readLetter(c.env, context, c.req.param("id"))),
  );
  only(app, "/v1/dead-letters/:id{.+}", "GET");
}

/** @throws Problem 404 when there is no such letter (any more). */
async function readLetter(
  env: QueryEnv,
  context: QueryContext,
  id: string,
): Promise<v.InferOutput<typeof deadLetterSchema>> {
  const parsed = parseLetterId(id);
  const group = letterGroups(env, context).find(({ name }) => name === parsed?.group);
  const [letter] = (await group?.list((parsed?.number ?? 0) - 1, 1)) ?? [];
  if (letter === undefined || letter.number !== parsed?.number) {
    throw new Problem(404, `no dead letter ${shorten(id)}; it may have been redriven already`);
  }
  return letterAnswer(id, letter, true);
}

async function countLetters(
  env: QueryEnv,
  context: QueryContext,
): Promise<Pick<Answer, "events" | "messages">> {
  const [messages, ...events] = await Promise.all([
    askGraveyard(env, context, (rpc) => rpc.count()),
    ...[...context.plan.operators.values()].map(async (operator) => {
      const stats = await askAll(env, context, operator, (rpc) => rpc.stats());
      return sum(stats.flatMap(({ flows }) => Object.values(flows).map(({ dead }) => dead)));
    }),
  ]);
  return { events: sum(events), messages };
}

async function listLetters(
  groups: readonly LetterGroup[],
  limit: number,
  cursor: string | undefined,
  whole: boolean,
): Promise<Pick<Answer, "entries" | "next">> {
  const last = cursor === undefined ? undefined : parseLetterId(decodeCursor(cursor) ?? "");
  const start = groups.findIndex(({ name }) => name === (last?.group ?? groups[0]?.name));
  if (start === -1 || (cursor !== undefined && last === undefined)) {
    throw new Problem(400, 'cursor: not one of this listing; pass on "next" as it came');
  }
  const found: { id: string; letter: Letter }[] = [];
  for (let at = start; at < groups.length && found.length <= limit; at += AT_ONCE) {
    const parts = await Promise.all(
      groups.slice(at, at + AT_ONCE).map(async ({ name, list }, n) => {
        const after = at + n === start ? (last?.number ?? 0) : 0;
        const letters = await list(after, limit + 1);
        return letters.map((letter) => ({ id: `${name}/${letter.number}`, letter }));
      }),
    );
    found.push(...parts.flat());
  }
  const page = found.slice(0, limit);
  const end = page.at(-1);
  return {
    entries: page.map(({ id, letter }) => letterAnswer(id, letter, whole)),
    ...(found.length > limit && end !== undefined ? { next: encodeCursor(end.id) } : {}),
  };
}

function letterAnswer(id: string, letter: Letter, whole: boolean): Answer["entries"][number] {
  if (letter.kind === "event") {
    const { source, operator, error, time, n, event, record, timer } = letter.letter;
    return {
      id,
      kind: "event",
      source,
      operator,
      error,
      time: iso(time),
      events: n,
      ...(event === undefined ? {} : { event: { ...event, time: iso(event.time) } }),
      ...(record === undefined ? {} : { record: { ...record } }),
      ...(timer === undefined ? {} : { timer: { ...timer, time: iso(timer.time) } }),
    };
  }
  const { queue, reason, redrivable, time, body } = letter.message;
  return {
    id,
    kind: "message",
    queue,
    reason,
    redrivable,
    time: iso(time),
    body: whole ? body : body.slice(0, SHORT_BODY),
    bodyLength: body.length,
  };
}

/** Epoch milliseconds as ISO 8601, UTC. */
function iso(time: number): string {
  return new Date(time).toISOString();
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
