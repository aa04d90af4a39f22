/** A small HTTP client for end-to-end tests: posts clicks, waits until they are applied, reads views. */
import type { Runtime } from "../../scripts/local/runtime.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Body;
}

/** The members of all answers that tests look at. */
export interface Body {
  readonly accepted?: number;
  readonly rejected?: { index: number; error: string }[];
  readonly ticket?: string;
  readonly detail?: string;
  readonly value?: number;
  readonly entries?: { key: string; value: number }[];
  readonly next?: string;
  readonly keys?: number;
  readonly total?: number;
  readonly state?: string;
}

export const json = (value: unknown) => JSON.stringify(value);
export const ndjson = (values: readonly unknown[]) => values.map(json).join("\n");

export async function request(runtime: Runtime, path: string, init?: RequestInit): Promise<Answer> {
  const response = await fetch(new URL(path, runtime.url), init);
  const text = await response.text();
  let body: Body = {};
  try {
    body = JSON.parse(text) as Body;
  } catch {
    // Not every answer is JSON; the tests that need it will say so.
  }
  return { status: response.status, headers: response.headers, text, body };
}

export function get(runtime: Runtime, path: string): Promise<Answer> {
  return request(runtime, path);
}

export function post(
  runtime: Runtime,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string>,
  search = "",
): Promise<Answer> {
  return request(runtime, `/v1/sources/clicks${search}`, { method: "POST", body, headers });
}

/** Waits until all of these requests have been applied. @throws Error naming the first that is not, after 30 s. */
export async function applied(runtime: Runtime, answers: readonly Answer[]): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (const { body } of answers) {
    for (;;) {
      const ticket = await get(runtime, `/v1/tickets/${body.ticket}`);
      if (ticket.body.state === "applied") break;
      if (Date.now() > deadline)
        throw new Error(`not applied: ${body.ticket}: ${ticket.status} ${ticket.text}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** The value of a key, or undefined if it was never seen. */
export async function countOf(runtime: Runtime, url: string): Promise<number | undefined> {
  const answer = await get(runtime, `/v1/views/page-views?key=${encodeURIComponent(url)}`);
  return answer.body.value;
}

export async function total(
  runtime: Runtime,
): Promise<{ keys: number | undefined; total: number | undefined }> {
  const { keys, total } = (await get(runtime, "/v1/views/page-views?total=1")).body;
  return { keys, total };
}
