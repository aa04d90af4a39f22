/** Rivals: the two backends that the same visits are sent to: one that the visitor waits for, and the stream. */
import { ApiProblem, getJson, postJson } from "../../api/client.ts";
import type { Accepted, Ticket } from "../../api/types.ts";
import type { Answer, Progress } from "./race.ts";
import { Refusal } from "./race.ts";

export interface Work {
  /** What is done for each visit, ms; 0 for nothing but counting. */
  readonly workMs: number;
  /** The source whose job does the same work. */
  readonly source: string;
}

/** A page name of its own for each run, so that its counts are its own. */
export function pageOf(run: string): string {
  return `/article/${run}`;
}

export function toBackend({ workMs }: Work, url: string, signal: AbortSignal): () => Promise<Answer> {
  return async () => {
    await taken(() => postJson("/article/synchronous", { url, workMs }, {}, { signal }));
    return {};
  };
}

export function toStream({ source }: Work, url: string, signal: AbortSignal): () => Promise<Answer> {
  const path = `/v1/sources/${encodeURIComponent(source)}`;
  return async () => {
    const { body } = await taken(() => postJson<Accepted>(path, { url }, {}, { signal }));
    return { ticket: body.ticket };
  };
}

export async function progressOf(ticket: string, signal: AbortSignal): Promise<Progress> {
  const path = `/v1/tickets/${encodeURIComponent(ticket)}`;
  const { state, arrival, operators } = await getJson<Ticket>(path, { signal });
  const times = operators.flatMap(({ shards }) => shards.map(({ appliedAt }) => appliedAt));
  const known = times.filter((time) => time !== undefined);
  const all = arrival !== undefined && known.length > 0 && known.length === times.length;
  return {
    applied: state === "applied",
    ...(all
      ? { arrival: Date.parse(arrival), appliedAt: Math.max(...known.map((at) => Date.parse(at))) }
      : {}),
  };
}

/** Both backends refuse when too much waits, and say when to come again. */
async function taken<T>(send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (thrown) {
    if (thrown instanceof ApiProblem && thrown.status === 429)
      throw new Refusal((thrown.retryAfter ?? 1) * 1000);
    throw thrown;
  }
}
