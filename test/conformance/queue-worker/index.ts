/** The queue Worker: sends to a real queue through CloudflareQueue, and does with its batches what the test says. */
import type { QueueBinding } from "../../../src/cloudflare/queue.ts";
import { CloudflareQueue } from "../../../src/cloudflare/queue.ts";
import type { Delivery } from "../../../src/engine/event-queue.ts";
import { QueueError } from "../../../src/errors.ts";
import type { Answer, Handed, Verdict } from "./protocol.ts";

interface Env {
  readonly QUEUE: QueueBinding;
  /** Where the test listens. */
  readonly TEST_URL: string;
}

interface Batch {
  readonly queue: string;
  readonly messages: readonly Delivery[];
}

async function answer(request: Request, env: Env): Promise<Answer> {
  // A new one each time, which has heard nothing yet: without a send, the backlog is what the queue says now.
  const queue = new CloudflareQueue(env.QUEUE);
  try {
    if (request.method === "POST") await queue.send((await request.json()) as string[]);
    return { backlog: await queue.backlog() };
  } catch (error) {
    if (!(error instanceof QueueError)) throw error;
    return { refused: { message: error.message, outcome: error.outcome } };
  }
}

// biome-ignore lint/style/noDefaultExport: a Worker's entry has to.
export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    return Response.json(await answer(request, env));
  },

  async queue({ queue, messages }: Batch, env: Env): Promise<void> {
    const handed: Handed = {
      queue,
      messages: messages.map(({ id, body, attempts }) => ({ id, body, attempts })),
    };
    const response = await fetch(env.TEST_URL, { method: "POST", body: JSON.stringify(handed) });
    const { calls, thrown } = (await response.json()) as Verdict;
    for (const { n, how, delaySeconds } of calls) {
      if (how === "ack") messages[n]?.ack();
      else messages[n]?.retry(delaySeconds === undefined ? undefined : { delaySeconds });
    }
    if (thrown !== undefined) throw new Error(thrown);
  },
};
