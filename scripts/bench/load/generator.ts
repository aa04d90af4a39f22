/** The load generator: a process of its own, which does the jobs that it is told, one at a time. */
import { requestsOf } from "./bodies.ts";
import { flood } from "./flood.ts";
import type { Job, Workload } from "./protocol.ts";
import { read, steady } from "./steady.ts";
import { push, watch } from "./viewers.ts";

let made: { of: string; requests: readonly Buffer[] } | undefined;

process.on("message", async (job: Job) => {
  try {
    process.send?.({ result: await run(job) });
  } catch (error) {
    process.send?.({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
});

async function run(job: Job): Promise<unknown> {
  if (job.kind === "read") return read(job);
  if (job.kind === "watch") return watch(job);
  if (job.kind === "push") return push(job);
  const requests = pool(job.workload);
  return job.kind === "flood" ? flood(job, requests) : steady(job, requests);
}

/** Those of one workload are kept: the same bytes go to all servers, one after the other. */
function pool(workload: Workload): readonly Buffer[] {
  const of = JSON.stringify(workload);
  if (made?.of !== of) made = { of, requests: requestsOf(workload, "bench") };
  return made.requests;
}
