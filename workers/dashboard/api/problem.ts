/** Problem: an answer that is not a success, in words that say what to do. */

export class ApiProblem extends Error {
  /** The HTTP status; 0 when there was no answer at all. */
  readonly status: number;
  readonly detail: string;
  /** When to try again, seconds. */
  readonly retryAfter?: number;
  /** Of a request to a source: what is wrong with each event, by its place. */
  readonly rejected: readonly Rejection[];

  constructor(status: number, detail: string, retryAfter?: number, rejected: readonly Rejection[] = []) {
    super(detail);
    this.name = "ApiProblem";
    this.status = status;
    this.detail = detail;
    this.rejected = rejected;
    if (retryAfter !== undefined) this.retryAfter = retryAfter;
  }
}

export interface Rejection {
  readonly index: number;
  readonly error: string;
}

/** Whether another key could help, so that the page asks for one. */
export function needsKey(problem: ApiProblem): boolean {
  return problem.status === 401 || problem.status === 403 || hasNoKeys(problem);
}

/** A deployment without keys refuses everything, and does not ask to try again later. */
export function hasNoKeys({ status, retryAfter, detail }: ApiProblem): boolean {
  return status === 503 && retryAfter === undefined && /\bkeys\b/i.test(detail);
}

/** @param body the answer's text, a problem document if it comes from the API. */
export function problemOf(status: number, body: string, retryAfter: string | null): ApiProblem {
  const seconds = retryAfter !== null && /^\d+$/.test(retryAfter) ? Number(retryAfter) : undefined;
  const { detail, rejected } = documentOf(body);
  const said = typeof detail === "string" ? detail : `The server answered ${status}.`;
  return new ApiProblem(status, said, seconds, Array.isArray(rejected) ? rejected : []);
}

function documentOf(body: string): { readonly detail?: unknown; readonly rejected?: unknown } {
  try {
    const document: unknown = JSON.parse(body);
    return typeof document === "object" && document !== null ? document : {};
  } catch {
    return {};
  }
}

/** Anything that was thrown, in words, to go on with in a sentence. */
export function describe(thrown: unknown): string {
  if (thrown instanceof ApiProblem) return thrown.detail;
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** Anything that was thrown, as a sentence for the visitor. */
export function sentenceOf(thrown: unknown): string {
  const words = describe(thrown);
  // What follows is for programs: in which header to send the key. A visitor is asked for it.
  const unkeyed = thrown instanceof ApiProblem && thrown.status === 401;
  const text = unkeyed ? words.split(":", 1).join() : words;
  const [first = "", ...rest] = text;
  return `${first.toUpperCase()}${rest.join("")}${/[.!?…]$/.test(text) ? "" : "."}`;
}
