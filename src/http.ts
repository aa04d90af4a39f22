/** Http: what sinks and sources need around `fetch`: a deadline, a body of bounded size, and secrets out of `env`. */
import { messageOf, PlanError, RetryAfterError } from "./errors.ts";

/** A text in the job, or the name of a variable or secret of the Worker that holds it. */
export type EnvText = string | { readonly env: string };

/** @throws Error when the Worker has no such variable; it says how to set it. */
export function textOf(owner: string, text: EnvText, env: Readonly<Record<string, unknown>>): string {
  if (typeof text === "string") return text;
  const value = env[text.env];
  if (typeof value === "string" && value !== "") return value;
  throw new Error(
    `${owner}: the variable ${text.env} is not set; run "wrangler secret put ${text.env}" for the operator Worker, or give it to JobStarter as env`,
  );
}

/** @throws as `textOf`. */
export function headersOf(
  owner: string,
  headers: Readonly<Record<string, EnvText>>,
  env: Readonly<Record<string, unknown>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, text]) => [name.toLowerCase(), textOf(owner, text, env)]),
  );
}

/** @throws PlanError when it is no HTTP address. */
export function checkUrl(owner: string, url: string): void {
  if (URL.canParse(url) && /^https?:/i.test(url)) return;
  throw new PlanError(
    `${owner}: ${JSON.stringify(url)} is not a URL; write it like "https://example.com/path"`,
  );
}

export interface HttpRequest {
  readonly url: string;
  readonly method: "GET" | "POST";
  readonly headers: Record<string, string>;
  readonly body?: string;
  /** For the whole of it, the reading of the body too. */
  readonly timeoutMs: number;
  readonly redirect: "follow" | "manual";
}

/** @throws Error that names the owner and the host, not the query, which may hold a secret. */
export async function send(owner: string, { url, timeoutMs, ...init }: HttpRequest): Promise<Response> {
  try {
    return await fetch(url, { ...init, signal: AbortSignal.timeout(timeoutMs) });
  } catch (error) {
    throw new Error(`${owner}: ${placeOf(url)} could not be reached: ${reasonOf(error, timeoutMs)}`, {
      cause: error,
    });
  }
}

/** The body as text (UTF-8), or undefined when it is over `maxBytes`: the rest of it is not read then. */
export async function readText(response: Response, maxBytes: number): Promise<string | undefined> {
  if (response.body === null) return "";
  const reader = response.body.getReader();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    bytes += value.length;
    if (bytes > maxBytes) {
      await reader.cancel();
      return undefined;
    }
  }
  const all = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return new TextDecoder().decode(all);
}

/** What to throw for an answer that is to be tried again: at the time that it asks for, if it does. */
export function failureOf(owner: string, url: string, response: Response, now: number): Error {
  const message = `${owner}: ${placeOf(url)} answered ${response.status}`;
  const after = retryAfterMs(response.headers.get("retry-after"), now);
  return after === undefined ? new Error(message) : new RetryAfterError("http", message, after);
}

/** `Retry-After` in milliseconds from now: seconds or a date; undefined when it says nothing that makes sense. */
function retryAfterMs(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

/** A URL without what may be secret in it. */
function placeOf(url: string): string {
  if (!URL.canParse(url)) return "an address that is no URL";
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}

function reasonOf(error: unknown, timeoutMs: number): string {
  if (error instanceof Error && error.name === "TimeoutError") return `no answer within ${timeoutMs} ms`;
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return messageOf(cause);
}
