/** Answers: the API as the try page asks it, of a deployment in memory whose clock stands still but for waiting. */
import {
  entriesSchema,
  jobsSchema,
  ticketSchema,
  viewsSchema,
} from "../../../src/cloudflare/query/schemas.ts";
import type { Plan } from "../../../src/index.ts";
import type { OpenSource } from "../../../workers/dashboard/try/sources.ts";
import { sourcesOf } from "../../../workers/dashboard/try/sources.ts";
import type { Ports } from "../../../workers/dashboard/try/terminal/follow.ts";
import { Deployment } from "../../query/deployment.ts";

export interface Tried {
  readonly deployment: Deployment;
  readonly sources: readonly OpenSource[];
  readonly ports: Ports;
}

/** @param whileWaiting what happens to the deployment each time the page waits. */
export async function tried(
  plan: Plan,
  whileWaiting: (deployment: Deployment, waits: number) => Promise<void> = async () => undefined,
): Promise<Tried> {
  const deployment = new Deployment(plan);
  let waits = 0;
  const ports: Ports = {
    post: async (source, text) => ({
      body: { accepted: 1, rejected: [], ticket: await deployment.send(source, [text]) },
      ms: 12,
    }),
    ticket: (id) => deployment.get(`/v1/tickets/${id}`, ticketSchema),
    async value({ view }, key) {
      const query = new URLSearchParams({ prefix: key, limit: "1" });
      const { entries } = await deployment.get(`/v1/views/${view}?${query}`, entriesSchema);
      return entries[0]?.key === key ? { view, key, value: entries[0].value } : undefined;
    },
    now: () => deployment.clock.now(),
    async wait(ms) {
      deployment.clock.advance(ms);
      await whileWaiting(deployment, waits++);
    },
  };
  const jobs = await deployment.get("/v1/jobs", jobsSchema);
  const views = await deployment.get("/v1/views", viewsSchema);
  return { deployment, sources: sourcesOf(jobs, views), ports };
}
