/** Client: requests to the API, with the visitor's key where the deployment has keys. */
import { askForKey, key, openKeyDialog } from "../state/keys.ts";
import { ApiProblem, needsKey, problemOf } from "./problem.ts";

export { ApiProblem, describe, sentenceOf } from "./problem.ts";

export interface Posted<T> {
  readonly status: number;
  readonly body: T;
  /** From the call to the answer, ms. */
  readonly ms: number;
}

/** @throws ApiProblem; where a key is missing, the page asks for it besides. */
export async function getJson<T>(path: string, init: { signal?: AbortSignal } = {}): Promise<T> {
  const response = await request(path, init, askForKey);
  return (await response.json()) as T;
}

/**
 * Sends a body as JSON, or a string as the text that it is, if `headers` say so.
 *
 * @throws ApiProblem; where a key is missing, the page asks for it besides.
 */
export async function postJson<T>(
  path: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
  init: { signal?: AbortSignal } = {},
): Promise<Posted<T>> {
  const type = Object.keys(headers).find((name) => name.toLowerCase() === "content-type");
  const plain = type !== undefined && typeof body === "string";
  const began = performance.now();
  const sent = {
    ...init,
    method: "POST",
    headers: type === undefined ? { "content-type": "application/json", ...headers } : headers,
    body: plain ? body : JSON.stringify(body),
  };
  // The visitor did something, so he is asked even if he closed the dialog before.
  const response = await request(path, sent, openKeyDialog);
  const ms = performance.now() - began;
  const text = await response.text();
  return { status: response.status, body: (text === "" ? undefined : JSON.parse(text)) as T, ms };
}

/** An address with the key in it, for where a header cannot be set: a WebSocket. Not for links. */
export function apiUrl(path: string): string {
  const url = new URL(path, location.origin);
  if (key.value !== undefined) url.searchParams.set("access_key", key.value);
  return url.href;
}

async function request(
  path: string,
  init: RequestInit,
  ask: (problem: ApiProblem) => void,
): Promise<Response> {
  const headers = new Headers(init.headers);
  const used = key.value;
  if (used !== undefined) headers.set("authorization", `Bearer ${used}`);
  const response = await fetch(path, { ...init, headers, cache: "no-store" }).catch((thrown: unknown) => {
    if (init.signal?.aborted === true) throw thrown;
    throw new ApiProblem(0, "The server does not answer. Is it running, and is this device online?");
  });
  if (response.ok) return response;
  const problem = problemOf(response.status, await response.text(), response.headers.get("retry-after"));
  // Another key may have come while this one was on its way.
  if (needsKey(problem) && key.value === used) ask(problem);
  throw problem;
}
