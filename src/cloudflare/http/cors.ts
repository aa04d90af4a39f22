/** CORS: which pages of other origins may call, and read the answers. */
import type { MiddlewareHandler } from "hono";
import { Problem } from "./problem.ts";

export interface CorsEnv {
  /** Origins separated by commas, like `https://shop.example`, or `*` for all. */
  readonly ALLOWED_ORIGINS?: string;
}

const PREFLIGHT: Readonly<Record<string, string>> = {
  "access-control-allow-methods": "GET, HEAD, POST",
  "access-control-allow-headers":
    "authorization, content-encoding, content-type, idempotency-key, millrace-end, millrace-producer, millrace-replay, millrace-sequence",
  "access-control-max-age": "86400",
};

/**
 * Answers preflights, and lets the pages of allowed origins read answers. Others get no CORS header at all, which hides
 * an answer, but not what a WebSocket says: so they get no WebSocket.
 *
 * @throws Problem 403 for such a page's WebSocket.
 */
export function cors(): MiddlewareHandler<{ Bindings: CorsEnv }> {
  return async (context, next) => {
    const { req, env } = context;
    const allowed = allowedOrigin(req.header("origin"), env.ALLOWED_ORIGINS);
    const isPreflight = req.method === "OPTIONS" && req.header("access-control-request-method") !== undefined;
    if (req.header("upgrade") !== undefined && allowed === undefined)
      refuseForeign(req.header("origin"), req.url);
    if (isPreflight) context.res = new Response(null, { status: 204 });
    else await next();
    // A switch to WebSocket has no headers that a page could read.
    if (context.res.status === 101) return;
    const set = (name: string, value: string) => context.header(name, value);
    // Whether an answer has these headers depends on the origin, also for those that get none.
    if (variesByOrigin(env.ALLOWED_ORIGINS)) context.header("vary", "Origin", { append: true });
    if (allowed === undefined) return;
    set("access-control-allow-origin", allowed);
    set("access-control-expose-headers", "retry-after, allow");
    if (isPreflight) for (const [name, value] of Object.entries(PREFLIGHT)) set(name, value);
  };
}

/** Programs send no origin; a page sends its own, which nobody but a browser vouches for. */
function refuseForeign(origin: string | undefined, url: string): void {
  if (origin === undefined || hostOf(origin) === new URL(url).host) return;
  throw new Problem(403, "pages of this origin may not watch; add it to ALLOWED_ORIGINS");
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

function originsOf(list: string | undefined): string[] {
  return (list ?? "").split(",").flatMap((origin) => origin.trim().toLowerCase().replace(/\/$/, "") || []);
}

function variesByOrigin(list: string | undefined): boolean {
  const origins = originsOf(list);
  return origins.length > 0 && !origins.includes("*");
}

/** What `Access-Control-Allow-Origin` says to this origin; undefined when it is not allowed, or there is none. */
function allowedOrigin(origin: string | undefined, list: string | undefined): string | undefined {
  if (origin === undefined) return undefined;
  const origins = originsOf(list);
  if (origins.includes("*")) return "*";
  return origins.includes(origin.toLowerCase()) ? origin : undefined;
}
