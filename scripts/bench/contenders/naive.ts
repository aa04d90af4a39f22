/** naive: what most tutorials show: a message for each event, and for each message a call to an object and a row. */
import type { CounterRpc } from "./counter.ts";
import { answer } from "./counter.ts";
import type { Batch, Namespace, Queue } from "./platform.ts";
import { accepted, objectOf, urlsOf } from "./platform.ts";

export { Counter } from "./counter.ts";

interface Env {
  readonly QUEUE: Queue;
  readonly COUNTER: Namespace<CounterRpc>;
}

/** The platform's limit for one send. */
const SEND = 100;

// biome-ignore lint/style/noDefaultExport: a Worker's entry
export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    if (request.method !== "POST") return answer(new URL(request.url), env.COUNTER);
    const messages = (await urlsOf(request)).map((url) => ({ body: { url } }));
    for (let at = 0; at < messages.length; at += SEND) {
      await env.QUEUE.sendBatch(messages.slice(at, at + SEND));
    }
    return accepted();
  },

  async queue(batch: Batch, env: Env): Promise<void> {
    await Promise.all(
      batch.messages.map(async (message) => {
        const { url } = message.body as { url: string };
        await env.COUNTER.getByName(objectOf(url)).add([url]);
        message.ack();
      }),
    );
  },
};
