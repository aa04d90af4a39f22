/** App: the query Worker's routes. It reads shards by RPC and holds nothing itself. */
import { Hono } from "hono";
import { systemClock } from "../../clock.ts";
import { UsageLedger } from "../../engine/usage.ts";
import { document } from "../http/openapi.ts";
import { notFound, onError } from "../http/problem.ts";
import { READERS, readersEnv } from "../readers.ts";
import { addDeadLetters } from "./dead-letters.ts";
import type { QueryApp, QueryContext, QueryOptions } from "./env.ts";
import { addErasures } from "./erasures.ts";
import { addHealth } from "./health.ts";
import { addJobs } from "./jobs.ts";
import { addMetrics } from "./metrics.ts";
import { addPage } from "./page.ts";
import { only, parameters } from "./routing.ts";
import { addTickets } from "./tickets.ts";
import { addViews } from "./views.ts";

export type { QueryEnv } from "./env.ts";

const PATIENCE = 10_000;

/** The app of a plan. Errors are problem documents; no answer but the page's files may be stored by a cache. */
export function queryApp(options: QueryOptions): QueryApp {
  const { plan, patience = PATIENCE, clock = systemClock } = options;
  const app: QueryApp = new Hono();
  const context: QueryContext = { plan, patience, clock };
  const usage = new UsageLedger();
  app.use(async (c, next) => {
    usage.add(READERS, { requests: 1 });
    c.env = readersEnv(c.env, usage);
    await next();
    // A switch to WebSocket is nothing that could be stored, and its headers cannot be changed.
    if (c.res.status === 101) return;
    // The page's files alone may be kept.
    if (!c.res.headers.has("cache-control")) c.res.headers.set("cache-control", "no-store");
  });
  addPage(app, context);
  addJobs(app, context);
  addErasures(app, context);
  addViews(app, context);
  addTickets(app, context);
  addDeadLetters(app, context);
  addHealth(app, context);
  addMetrics(app, context);
  app.get("/openapi.json", parameters({}), async (c) => c.json(await document(app)));
  only(app, "/openapi.json", "GET");
  app.notFound(notFound);
  app.onError(onError);
  return app;
}
