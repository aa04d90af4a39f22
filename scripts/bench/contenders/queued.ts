/**
 * queued: limit with a queue: each body goes into it as one message, and the consumer only adds up how many events came.
 * It keeps nothing and forgets all when it stops: nothing that is durable before it answers can be faster here.
 */
import type { Batch, Queue } from "./platform.ts";
import { accepted, urlsOf } from "./platform.ts";

interface Env {
  readonly QUEUE: Queue;
}

let total = 0;

// biome-ignore lint/style/noDefaultExport: a Worker's entry
export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    if (request.method !== "POST") return Response.json({ total });
    await env.QUEUE.sendBatch([{ body: JSON.stringify(await urlsOf(request)), contentType: "text" }]);
    return accepted();
  },

  async queue(batch: Batch): Promise<void> {
    for (const message of batch.messages) {
      total += (JSON.parse(message.body as string) as unknown[]).length;
      message.ack();
    }
  },
};
