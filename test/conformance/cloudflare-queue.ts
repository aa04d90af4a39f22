/**
 * LocalCloudflareQueue: CloudflareQueue over a real queue in a local workerd, driven by hand from a test.
 *
 * The queue Worker asks this process what to do with each batch and waits for the answer, so that the test's consumer
 * runs here. While a batch is out, the local queue hands over no other one: what is sent meanwhile waits.
 */
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { Runtime } from "../../scripts/local/runtime.ts";
import { startRuntime } from "../../scripts/local/runtime.ts";
import { QUEUE_LIMITS } from "../../src/cloudflare/queue.ts";
import type { Backlog, Consumer, EventQueue } from "../../src/engine/event-queue.ts";
import { messageOf, QueueError } from "../../src/errors.ts";
import type { QueueUnderTest } from "./event-queue.ts";
import type { Answer, Call, Handed, Verdict } from "./queue-worker/protocol.ts";

/** As in the queue Worker's config. */
export const BATCH_SIZE = 4;
export const MAX_RETRIES = 3;
const QUEUE = "conformance";

const config = fileURLToPath(new URL("queue-worker/wrangler.toml", import.meta.url));

interface Asked {
  readonly handed: Handed;
  answer(verdict: Verdict): void;
}

export class LocalCloudflareQueue implements QueueUnderTest {
  readonly queue: EventQueue;
  /** What the last send heard of the backlog. */
  heard: Backlog | undefined;
  /** Batches that wait for a consumer, or consumers for a batch. */
  readonly #batches = new Channel<Asked>();
  readonly #deadLetters = new Channel<Asked>();
  readonly #server: Server;
  #runtime: Runtime | undefined;

  private constructor() {
    this.#server = createServer(async (request, response) => {
      const handed = JSON.parse(await text(request)) as Handed;
      const answer = (verdict: Verdict) => reply(response, verdict);
      (handed.queue === QUEUE ? this.#batches : this.#deadLetters).put({ handed, answer });
    });
    this.queue = {
      limits: QUEUE_LIMITS,
      send: async (messages) => {
        this.heard = await this.#ask("/send", { method: "POST", body: JSON.stringify(messages) });
      },
      backlog: () => this.#ask("/backlog"),
    };
  }

  static async start(): Promise<LocalCloudflareQueue> {
    const local = new LocalCloudflareQueue();
    await new Promise<void>((resolve) => local.#server.listen(0, "127.0.0.1", resolve));
    const { port } = local.#server.address() as AddressInfo;
    const vars = { TEST_URL: `http://127.0.0.1:${port}/` };
    local.#runtime = await startRuntime({ workers: [{ config }], vars });
    return local;
  }

  async stop(): Promise<void> {
    await this.#runtime?.dispose();
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** Acknowledges what a test before left behind. */
  async emptied(): Promise<this> {
    this.#batches.forsake();
    this.#deadLetters.forsake();
    await this.queue.send(["the end"]);
    for (let ended = false; !ended; ) {
      await this.deliver(async (batch) => {
        for (const delivery of batch) delivery.ack();
        ended = batch.some(({ body }) => body === "the end");
      });
    }
    return this;
  }

  deliver(consume: Consumer): Promise<void> {
    return handOver(this.#batches, consume);
  }

  /** The same for the dead-letter queue. */
  deliverDead(consume: Consumer): Promise<void> {
    return handOver(this.#deadLetters, consume);
  }

  async #ask(path: string, init?: RequestInit): Promise<Backlog> {
    const response = await (this.#runtime as Runtime).fetch(path, init);
    const body = await response.text();
    if (!response.ok) throw new Error(`the queue Worker answered ${response.status}: ${body}`);
    const { backlog, refused } = JSON.parse(body) as Answer;
    if (refused !== undefined) throw new QueueError(refused.message, refused.outcome);
    return backlog as Backlog;
  }
}

async function handOver(channel: Channel<Asked>, consume: Consumer): Promise<void> {
  const { handed, answer } = await channel.take();
  const calls: Call[] = [];
  const batch = handed.messages.map((message, n) => ({
    ...message,
    ack: () => void calls.push({ n, how: "ack" }),
    retry: (options: { readonly delaySeconds?: number } = {}) =>
      void calls.push({ n, how: "retry", ...options }),
  }));
  try {
    await consume(batch);
  } catch (thrown) {
    answer({ calls, thrown: messageOf(thrown) });
    throw thrown;
  }
  answer({ calls });
}

/** Pairs what is put with who takes, each in order. */
class Channel<T> {
  readonly #items: T[] = [];
  readonly #takers: ((item: T) => void)[] = [];

  put(item: T): void {
    const taker = this.#takers.shift();
    if (taker === undefined) this.#items.push(item);
    else taker(item);
  }

  take(): Promise<T> {
    const item = this.#items.shift();
    if (item !== undefined) return Promise.resolve(item);
    return new Promise((resolve) => this.#takers.push(resolve));
  }

  /** Nobody who waits will get anything: a test that ran out of time may still wait. */
  forsake(): void {
    this.#takers.length = 0;
  }
}

/** On a connection of its own: Node closes idle ones, and workerd might be about to use it. */
function reply(response: ServerResponse, verdict: Verdict): void {
  response.writeHead(200, { connection: "close" }).end(JSON.stringify(verdict));
}
