/** What the tests of sinks and pull sources share: a job around one, a clock to move, a real HTTP server. */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { onTestFinished } from "vitest";
import { messageOf } from "../../src/errors.ts";
import type { FileStore, Sink } from "../../src/index.ts";
import { Job, JobStarter, VirtualClock } from "../../src/index.ts";
import { listFiles } from "../../src/sinks/read-files.ts";
import { Records } from "../engine/support.ts";

export interface Click {
  readonly user: string;
  readonly url: string;
}

export const START = Date.UTC(2026, 10, 26, 8, 15, 30);

/** A job that ends in one sink, in memory, under a clock that stands still until it is moved. */
export class SinkRun {
  readonly clock = new VirtualClock(START);
  readonly errors: string[] = [];
  readonly starter: JobStarter;

  constructor(
    sink: Sink<Click>,
    { env = {}, keyed = false }: { env?: Readonly<Record<string, unknown>>; keyed?: boolean } = {},
  ) {
    const job = new Job("job");
    const clicks = job.addSource(new Records<Click>("clicks"));
    (keyed ? clicks.keyBy(({ user }) => user) : clicks).addSink(sink);
    this.starter = new JobStarter(job, {
      clock: this.clock,
      env,
      onError: (error) => this.errors.push(messageOf(error)),
    });
  }

  async send(clicks: readonly Click[]): Promise<void> {
    await this.starter.run({ clicks });
  }

  /** Moves the clock, and does what is due by then. */
  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    await this.starter.run({});
  }

  /** Lets time pass until nothing is due any more within an hour. */
  async settle(): Promise<void> {
    for (let i = 0; i < 200; i++) {
      const due = this.starter.shards.nextDue();
      if (due === undefined) return;
      await this.pass(Math.max(0, due - this.clock.now()));
    }
    throw new Error("it does not settle");
  }
}

export function clicksOf(count: number, users = 3): Click[] {
  return Array.from({ length: count }, (_, n) => ({ user: `user-${n % users}`, url: `/${n}` }));
}

export async function namesIn(store: FileStore, prefix = ""): Promise<string[]> {
  const names: string[] = [];
  for await (const { key } of listFiles(store, prefix)) names.push(key);
  return names;
}

export interface Received {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A server on this machine, closed when the test ends. `received` is what came, in order. */
export async function serve(
  answer: (received: Received, response: ServerResponse, n: number) => void,
): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = [];
  const server = createServer(async (request: IncomingMessage, response) => {
    const { method, url, headers } = request;
    const one = { method, url, headers, body: await text(request) };
    received.push(one);
    answer(one, response, received.length);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, received };
}
