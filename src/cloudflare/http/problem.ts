/** Problem: an error as its caller gets to see it, an RFC 9457 document that says what is wrong and what to do. */
import type { Context } from "hono";

/** Extra members of the document, beside `type`, `title`, `status` and `detail`. */
export type ProblemMembers = Readonly<Record<string, unknown>>;

const TITLES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  406: "Not Acceptable",
  409: "Conflict",
  410: "Gone",
  413: "Content Too Large",
  414: "URI Too Long",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  426: "Upgrade Required",
  429: "Too Many Requests",
  500: "Internal Server Error",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};

/** An answer to throw from anywhere below a route; `onError` makes it the response. */
export class Problem extends Error {
  readonly status: number;
  readonly detail: string;
  readonly extra: ProblemMembers;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    detail: string,
    extra: ProblemMembers = {},
    headers: Readonly<Record<string, string>> = {},
    options?: ErrorOptions,
  ) {
    super(detail, options);
    this.name = "Problem";
    this.status = status;
    this.detail = detail;
    this.extra = extra;
    this.headers = headers;
  }
}

/** A problem document as a response. `detail` names what is wrong and what to do; it must not hold anything internal. */
export function problem(
  status: number,
  detail: string,
  extra: ProblemMembers = {},
  headers: Readonly<Record<string, string>> = {},
): Response {
  const document = { type: "about:blank", title: TITLES[status] ?? "Error", status, detail, ...extra };
  return new Response(`${JSON.stringify(document)}\n`, {
    status,
    headers: { ...headers, "content-type": "application/problem+json", "cache-control": "no-store" },
  });
}

/** For `app.onError`: a Problem is its own answer; anything else is logged whole and answered 500 without internals. */
export function onError(error: Error, context: Context): Response {
  if (error instanceof Problem) return problem(error.status, error.detail, error.extra, error.headers);
  const { method, path } = context.req;
  // Without the query string, which may hold a key.
  console.error(`${method} ${shorten(path)}:`, error);
  return problem(500, "something failed here that was not your doing; the log says what");
}

/** For `app.notFound`. */
export function notFound(context: Context): Response {
  return problem(404, `nothing is at ${shorten(context.req.path)}; GET /openapi.json lists what is`);
}

/** What a caller sent, safe to say back to him: a hostile megabyte is cut off. */
export function shorten(text: string, length = 100): string {
  return (text.length <= length ? text : `${text.slice(0, length)}…`).toWellFormed();
}
