/** Letters: asks for dead letters, page by page, and has them sent again. */
import { getJson, postJson } from "../api/client.ts";
import type { DeadLetter, DeadLetters, Redriven } from "../api/types.ts";

/** Events of one operator; or buried messages, all or those of some queues; or everything. */
export type LettersOf =
  | { readonly operator: string }
  | { readonly queues: readonly string[] }
  | { readonly everything: true };

export interface LettersPage {
  readonly letters: readonly DeadLetter[];
  readonly next?: string;
}

const LIMIT = 20;

/** A page; one of messages goes on until it has some, as they are listed for all queues. @throws ApiProblem */
export async function listLetters(of: LettersOf, cursor?: string): Promise<LettersPage> {
  const query = new URLSearchParams({ limit: String(LIMIT) });
  if ("operator" in of) query.set("operator", of.operator);
  if ("queues" in of) query.set("kind", "message");
  for (let at = cursor; ; ) {
    if (at !== undefined) query.set("cursor", at);
    const { entries, next } = await getJson<DeadLetters>(`/v1/dead-letters?${query}`);
    const letters = entries.filter((letter) => isOf(letter, of));
    if (letters.length > 0 || next === undefined) return { letters, ...(next === undefined ? {} : { next }) };
    at = next;
  }
}

function isOf(letter: DeadLetter, of: LettersOf): boolean {
  return !("queues" in of) || (letter.kind === "message" && of.queues.includes(letter.queue));
}

/** @returns how many were sent again. @throws ApiProblem */
export async function redriveOne(id: string): Promise<number> {
  const { body } = await postJson<Redriven>(PATH, { ids: [id] });
  return body.redriven;
}

const PATH = "/v1/dead-letters/redrive";

/** All that are there when it begins; one request sends again only so many. @throws ApiProblem */
export async function redriveAll(of: LettersOf): Promise<number> {
  if ("queues" in of) return redriveListed(of);
  const choice = "operator" in of ? { operator: of.operator } : {};
  let sent = 0;
  let before: string | undefined;
  for (;;) {
    const { body } = await postJson<Redriven>(PATH, { all: true, ...choice, ...(before && { before }) });
    sent += body.redriven;
    if (body.more !== true || body.redriven === 0) return sent;
    before = body.before;
  }
}

/** Which messages belong to a queue only their list tells. */
async function redriveListed(of: LettersOf): Promise<number> {
  const ids: string[] = [];
  for (let cursor: string | undefined; ; ) {
    const { letters, next } = await listLetters(of, cursor);
    for (const letter of letters) if (letter.kind === "message" && letter.redrivable) ids.push(letter.id);
    if (next === undefined) break;
    cursor = next;
  }
  let sent = 0;
  for (let at = 0; at < ids.length; at += LIMIT) {
    const { body } = await postJson<Redriven>(PATH, { ids: ids.slice(at, at + LIMIT) });
    sent += body.redriven;
  }
  return sent;
}
