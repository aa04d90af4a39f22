/** Answers: what the server's statuses and bodies mean for a send. Unknown fields are passed over. */
import { printable, SendError } from "./failure.ts";

/** Answer to an ingest request. `index` counts the lines of the request's body from 0. */
export interface Answer {
  readonly accepted: number;
  readonly rejected: readonly { readonly index: number; readonly error: string }[];
  /** Undefined when nothing was accepted. */
  readonly ticket: string | undefined;
}

/** A whole answer of the server. */
export interface Reply {
  readonly status: number;
  /** Undefined when it is not JSON. */
  readonly body: unknown;
  /** Milliseconds. */
  readonly retryAfter: number | undefined;
}

/** Reads to the end; throws what `fetch` throws when the connection breaks. */
export async function readReply(response: Response): Promise<Reply> {
  const body = parse(await response.text());
  return { status: response.status, body, retryAfter: readRetryAfter(response.headers.get("Retry-After")) };
}

/** What an ingest request was answered; undefined means: repeat it. Throws a `SendError` for what repeating cannot change. */
export function readAnswer(response: Reply): Answer | undefined {
  const { status, body } = response;
  if (isTransient(status) || comesTooEarly(response)) return undefined;
  const rejected = readRejected(field(body, "rejected"));
  // The request as a whole is settled: none of its events can ever be accepted.
  if (status === 400 && rejected !== undefined) return { accepted: 0, rejected, ticket: undefined };
  if (status !== 202) throw refusal(response);
  const accepted = field(body, "accepted");
  const ticket = field(body, "ticket");
  if (typeof accepted !== "number")
    throw new SendError("The server's answer is not one of Millrace's: check --url.");
  if (accepted === 0) return { accepted, rejected: rejected ?? [], ticket: undefined };
  if (typeof ticket !== "string")
    throw new SendError("The server gave no ticket, so nothing can be confirmed.");
  return { accepted, rejected: rejected ?? [], ticket };
}

/** Too many, unavailable, a gateway's or a crash's answer: the request's identity makes repeating it safe. */
export function isTransient(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || status >= 500;
}

/** A replay's requests are let in by their numbers: one before it is on its way, or is being sent again. */
export function comesTooEarly({ status, body }: Reply): boolean {
  return status === 409 && typeof field(body, "missing") === "number";
}

/** What to tell the user about an answer that ends the send. */
export function refusal(response: Reply): SendError {
  const { status } = response;
  if (status === 413) {
    return new SendError(
      `${describe(response)}. Send smaller requests: --fresh --batch N (with what was already applied counted again).`,
    );
  }
  if (status === 401 || status === 403) {
    return new SendError(`${describe(response)}. Give a key with --key or MILLRACE_KEY.`);
  }
  if (status >= 300 && status < 400) {
    return new SendError(`The server answered ${status}, a redirect: name the final address with --url.`);
  }
  if (status < 300) return new SendError(`The server answered ${status} instead of 202: check --url.`);
  return new SendError(`${describe(response)}.`);
}

/** An answer in words, without a full stop. */
export function describe({ status, body }: Reply): string {
  const detail = field(body, "detail") ?? field(body, "title");
  if (typeof detail !== "string") return `the server answered ${status}`;
  return `the server answered ${status}: ${printable(detail).replace(/\.$/, "")}`;
}

function readRejected(value: unknown): Answer["rejected"] | undefined {
  if (!Array.isArray(value)) return undefined;
  return value.flatMap((row: unknown) => {
    const index = field(row, "index");
    return typeof index === "number"
      ? [{ index, error: printable(String(field(row, "error") ?? "rejected")) }]
      : [];
  });
}

/** Whole seconds or a date, as milliseconds from now; capped, since a mistaken date must not stop a send for years. */
function readRetryAfter(header: string | null): number | undefined {
  if (header === null) return undefined;
  const wait = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(wait) ? undefined : Math.min(Math.max(wait, 0), 300_000);
}

/** A field of what may be an object. */
export function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
