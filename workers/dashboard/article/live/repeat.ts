/** Once: sends one event many times under one idempotency key, and asks how often it was counted. */
import { getJson, postJson } from "../../api/client.ts";
import type { Accepted, KeyAnswer, Ticket } from "../../api/types.ts";

export interface Repeated {
  /** Requests that were answered 202. */
  readonly accepted: number;
  /** What the view says of the event's key. */
  readonly counted: unknown;
}

const ASK_EVERY_MS = 80;

/** @throws ApiProblem; when it is aborted. */
export async function repeat(
  source: string,
  view: string,
  times: number,
  signal: AbortSignal,
): Promise<Repeated> {
  const id = crypto.randomUUID();
  const url = `/article/once/${id.slice(0, 8)}`;
  const headers = { "content-type": "text/plain", "idempotency-key": `article-${id}` };
  const path = `/v1/sources/${encodeURIComponent(source)}`;
  const answers: Accepted[] = [];
  for (let n = 0; n < times; n++)
    answers.push((await postJson<Accepted>(path, url, headers, { signal })).body);
  for (const { ticket } of answers) {
    while (
      (await getJson<Ticket>(`/v1/tickets/${encodeURIComponent(ticket)}`, { signal })).state !== "applied"
    ) {
      await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
    }
  }
  const { value } = await getJson<KeyAnswer>(
    `/v1/views/${encodeURIComponent(view)}?${new URLSearchParams({ key: url })}`,
    { signal },
  );
  return { accepted: answers.length, counted: value };
}
