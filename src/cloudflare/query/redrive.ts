/** Redrive: sends dead letters and buried messages again, chosen by id or all of them. */
import * as v from "valibot";
import { Problem, shorten } from "../http/problem.ts";
import type { QueryContext, QueryEnv } from "./env.ts";
import type { LetterGroup } from "./letter-groups.ts";
import { chosenGroups, letterGroups, parseLetterId } from "./letter-groups.ts";
import type { redrivenSchema } from "./schemas.ts";
import { MAX_REDRIVE_IDS, redriveRequestSchema } from "./schemas.ts";

type RedriveRequest = v.InferOutput<typeof redriveRequestSchema>;
type Redriven = v.InferOutput<typeof redrivenSchema>;

const MAX_BODY_BYTES = 65_536;
/** What one request redrives of one group; the answer says when there are more. */
const MAX_OF_GROUP = 1000;
const PAGE = 100;

/** @throws Problem 400 for what is not such a body, 413 when it is too large. */
export async function readRequest(request: Request): Promise<RedriveRequest> {
  if (Number(request.headers.get("content-length") ?? 0) > MAX_BODY_BYTES) throw tooLarge();
  const text = await request.text();
  if (text.length > MAX_BODY_BYTES) throw tooLarge();
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new Problem(400, `the body is not JSON; ${EXPECTED}`);
  }
  const parsed = v.safeParse(redriveRequestSchema, body);
  if (!parsed.success) throw new Problem(400, `the body asks for something else; ${EXPECTED}`);
  return parsed.output;
}

/** @throws Problem 400, 404 or 409 before anything is sent, or 503 half-way: to repeat it is safe. */
export async function redrive(
  env: QueryEnv,
  context: QueryContext,
  request: RedriveRequest,
): Promise<Redriven> {
  const groups = letterGroups(env, context);
  if ("ids" in request) return redriveChosen(groups, request.ids);
  return redriveAll(chosenGroups(groups, request), request.before, context.clock.now());
}

async function redriveChosen(groups: readonly LetterGroup[], ids: readonly string[]): Promise<Redriven> {
  const chosen = new Map<LetterGroup, Set<number>>();
  for (const id of ids) {
    const parsed = parseLetterId(id);
    if (parsed === undefined) {
      throw new Problem(
        400,
        `${JSON.stringify(shorten(id))} is no id of a dead letter; use those that are listed`,
      );
    }
    const group = groups.find(({ name }) => name === parsed.group);
    if (group === undefined) throw unknown(id);
    const numbers = chosen.get(group) ?? new Set();
    chosen.set(group, numbers.add(parsed.number));
  }
  // All are looked at before any is sent: a request with a mistake in it does nothing.
  await Promise.all(
    [...chosen].flatMap(([group, numbers]) => [...numbers].map((number) => mustBeRedrivable(group, number))),
  );
  const counts = await Promise.all([...chosen].map(([group, numbers]) => group.redrive([...numbers])));
  return { redriven: sum(counts) };
}

async function mustBeRedrivable(group: LetterGroup, number: number): Promise<void> {
  const id = `${group.name}/${number}`;
  const [letter] = await group.list(number - 1, 1);
  if (letter?.number !== number) throw unknown(id);
  if (letter.kind === "message" && !letter.message.redrivable) {
    throw new Problem(409, `${id} cannot be redriven: ${letter.message.reason}`);
  }
}

async function redriveAll(
  groups: readonly LetterGroup[],
  before: string | undefined,
  now: number,
): Promise<Redriven> {
  const latest = before === undefined ? Number.POSITIVE_INFINITY : Date.parse(before);
  let redriven = 0;
  let more = false;
  // One group after the other: each sends to the same queues, and its letters are held in memory meanwhile.
  for (const group of groups) {
    const found = await redrivableOf(group, latest);
    more ||= found.more;
    for (let at = 0; at < found.numbers.length; at += PAGE) {
      redriven += await group.redrive(found.numbers.slice(at, at + PAGE));
    }
  }
  if (!more) return { redriven };
  return { redriven, more, before: before ?? new Date(now).toISOString() };
}

/**
 * Listed before any is sent, so that what fails again while it runs is not sent for ever.
 *
 * @param latest epoch milliseconds: younger ones are not looked at.
 */
async function redrivableOf(
  group: LetterGroup,
  latest: number,
): Promise<{ numbers: number[]; more: boolean }> {
  const numbers: number[] = [];
  let after = 0;
  while (numbers.length < MAX_OF_GROUP) {
    const letters = await group.list(after, PAGE);
    for (const letter of letters) {
      after = letter.number;
      const { time } = letter.kind === "event" ? letter.letter : letter.message;
      if (time > latest) return { numbers, more: false };
      if (letter.kind === "event" || letter.message.redrivable) numbers.push(letter.number);
    }
    if (letters.length < PAGE) return { numbers, more: false };
  }
  return { numbers, more: true };
}

const EXPECTED = `send {"ids": ["…"]} with 1 to ${MAX_REDRIVE_IDS} of the listed ids, or {"all": true}, with an ISO time as "before", an "operator" or a "kind" if wanted`;

function unknown(id: string): Problem {
  return new Problem(404, `no dead letter ${id}; it may have been redriven already`);
}

function tooLarge(): Problem {
  return new Problem(413, `the body is over ${MAX_BODY_BYTES} bytes; ${EXPECTED}`);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
