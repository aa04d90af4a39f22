/** CORS: which pages of other origins may call, and read the answers. */
import type { MiddlewareHandler } from "hono";

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

/** Answers preflights, and lets the pages of allowed origins read answers. Others get no CORS header at all. */
export function cors(): MiddlewareHandler<{ Bindings: CorsEnv }> {
  return async (context, next) => {
    const { req, env } = context;
    const allowed = allowedOrigin(req.header("origin"), env.ALLOWED_ORIGINS);
    const isPreflight = req.method === "OPTIONS" && req.header("access-control-request-method") !== undefined;
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
