/** Health: the routes that say whether everything answers, what waits where, and who holds up whom; once or live. */
import { feedName } from "../rpc.ts";
import type { QueryApp, QueryContext } from "./env.ts";
import { HOW_LIVE, watchFeed } from "./live.ts";
import { readHealth } from "./read-health.ts";
import { described, only, parameters, scoped } from "./routing.ts";
import { healthSchema } from "./schemas.ts";

export function addHealth(app: QueryApp, context: QueryContext): void {
  app.get(
    "/v1/health",
    described("health", {
      summary: "Backlogs, outboxes, dead letters, shards",
      description:
        "Answers 200 even when something is silent: `status` says so, and `problems` what. Under load look at " +
        "`refusing` (sources that answer 429 now), at the queues that are `over` their marks, and at `busy` shards. On " +
        "each edge of the plan, accepted = applied + late + dead + inFlight; edges of which a shard that does not answer " +
        "knows a part are left out.",
      answer: healthSchema,
    }),
    scoped("read"),
    parameters({}),
    async (c) => c.json(await readHealth(c.env, context)),
  );
  app.get(
    "/v1/health/live",
    described("health", {
      summary: "The health, live",
      description:
        "The whole document as `health`, at most once a second, while something happens or waits, and once when it no " +
        `longer does. Who watches may say \`look\` on a WebSocket to have it looked at now. ${HOW_LIVE}`,
      answer: "text/event-stream",
    }),
    scoped("read"),
    parameters({}),
    (c) => watchFeed(c, feedName(context.plan.generation), {}),
  );
  only(app, "/v1/health", "GET");
  only(app, "/v1/health/live", "GET");
}
