/** Flood: sends as fast as the server answers, over a number of connections, and honours its backpressure. */
import { setTimeout as sleep } from "node:timers/promises";
import { Connection } from "./connection.ts";
import type { FloodJob, FloodResult } from "./protocol.ts";

/** @throws Error for any answer but 202 and 429: what is measured must be what was asked for. */
export async function flood(job: FloodJob, requests: readonly Buffer[]): Promise<FloodResult> {
  const { connections, workload, maxEvents } = job;
  const open = await Promise.all(Array.from({ length: connections }, () => Connection.open(job.to)));
  let next = job.from;
  let accepted = 0;
  let answered = 0;
  let refused = 0;
  const startedAt = Date.now();
  const started = performance.now();
  const deadline = started + job.seconds * 1000;
  let last = started;
  const left = () => (next - job.from) * workload.events < maxEvents && performance.now() < deadline;
  await Promise.all(
    open.map(async (connection) => {
      while (left()) {
        const request = requests[next++ % requests.length] as Buffer;
        for (;;) {
          const { status, retryAfter, body } = await connection.send(request);
          if (status === 202) {
            accepted += workload.events;
            answered++;
            last = performance.now();
            break;
          }
          if (status !== 429) throw new Error(`the server answered ${status} to events: ${body}`);
          refused++;
          if (performance.now() + retryAfter * 1000 > deadline) return;
          await sleep(retryAfter * 1000);
        }
      }
    }),
  );
  for (const connection of open) connection.close();
  return { accepted, requests: answered, refused, seconds: (last - started) / 1000, startedAt };
}
