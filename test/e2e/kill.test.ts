/**
 * A job of several stages over the real local queue, killed with SIGKILL again and again while it runs.
 *
 * What was in the local queue's memory dies with it; the producer, which numbers its requests, sends again what no ticket
 * says is applied. Every count is exact in the end.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Random } from "../simulation/random.ts";
import type { Order } from "./jobs/chain.ts";
import { eventually } from "./support.ts";

const REQUESTS = 90;
const ORDERS = 25;
const KILLS = 3;
/** Requests under way at the same time. */
const AT_ONCE = 8;

const module = new URL("jobs/chain.ts", import.meta.url).pathname;
const script = new URL("server.ts", import.meta.url).pathname;
const random = new Random(4711);
const requests = Array.from({ length: REQUESTS }, (_, sequence) => orders(sequence));

let stateDir: string;
let server: Server | undefined;

beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), "millrace-kill-"));
});

afterAll(async () => {
  await server?.kill();
  await rm(stateDir, { recursive: true, force: true });
});

it("counts exactly, however often it is killed", { timeout: 240_000 }, async () => {
  server = await Server.start();
  const producer = new Producer();
  for (let kills = 0; kills < KILLS; kills++) {
    const sent = producer.sendSome(((kills + 1) * REQUESTS) / KILLS);
    await sleep(300 + random.int(0, 1500));
    await server.kill();
    await sent;
    server = await Server.start();
  }
  await eventually(async () => {
    await producer.sendSome(REQUESTS);
    return producer.allApplied;
  }, 1000);
  const all = requests.flat();
  const perCustomer = countBy(all, ({ customer }) => customer);
  // What comes out of an outbox is behind the tickets, which speak of the first operators.
  await eventually(async () => (await totalOf("checked-per-customer")) >= all.length);
  await eventually(async () => (await totalOf("per-letter")) >= all.length);
  expect(await viewOf("checked-per-customer")).toEqual(perCustomer);
  expect(await viewOf("per-product")).toEqual(countBy(all, ({ product }) => product));
  expect(await viewOf("per-letter")).toEqual(countBy(all, ({ product }) => product.slice(0, 1)));
  const numbered = Object.entries(await viewOf("per-customer"));
  expect(numbered.map(([key, state]) => [key, (state as { orders: number }).orders])).toEqual(
    Object.entries(perCustomer),
  );
});

function orders(sequence: number): Order[] {
  return Array.from({ length: ORDERS }, (_, n) => ({
    id: `o${sequence}-${n}`,
    customer: `c${random.int(0, 9)}`,
    product: `${random.pick(["a", "b", "c"])}${random.int(0, 20)}`,
  }));
}

function countBy<T>(list: readonly T[], key: (item: T) => string): Record<string, number> {
  const counts = new Map<string, number>();
  for (const item of list) counts.set(key(item), (counts.get(key(item)) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function viewOf(view: string): Promise<Record<string, unknown>> {
  const answer = (await (await fetch(`${server?.url}v1/views/${view}?limit=1000`)).json()) as {
    entries: { key: string; value: unknown }[];
  };
  return Object.fromEntries(answer.entries.map(({ key, value }) => [key, value]));
}

async function totalOf(view: string): Promise<number> {
  const answer = (await (await fetch(`${server?.url}v1/views/${view}?total=1`)).json()) as { total: number };
  return answer.total;
}

/** Numbers its requests, and forgets one only when its ticket says that it is applied. */
class Producer {
  readonly #tickets = new Map<number, string>();
  readonly #applied = new Set<number>();

  /** Sends the first `upTo` requests, as far as they are not known to be applied, whatever happens to the server. */
  async sendSome(upTo: number): Promise<void> {
    const left = requests
      .slice(0, upTo)
      .flatMap((_, sequence) => (this.#applied.has(sequence) ? [] : [sequence]));
    const work = async () => {
      for (let sequence = left.shift(); sequence !== undefined; sequence = left.shift()) {
        if (!(await this.#isApplied(sequence))) await this.#send(sequence);
      }
    };
    // When the server is gone, what is left is sent next time.
    await Promise.allSettled(Array.from({ length: AT_ONCE }, work));
  }

  get allApplied(): boolean {
    return this.#applied.size === REQUESTS;
  }

  async #send(sequence: number): Promise<void> {
    const answer = await fetch(`${server?.url}v1/sources/orders`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "millrace-producer": "shop",
        "millrace-sequence": String(sequence),
      },
      body: JSON.stringify(requests[sequence]),
    });
    const { ticket } = (await answer.json()) as { ticket?: string };
    if (answer.status === 202 && ticket !== undefined) this.#tickets.set(sequence, ticket);
  }

  async #isApplied(sequence: number): Promise<boolean> {
    if (this.#applied.has(sequence)) return true;
    const ticket = this.#tickets.get(sequence);
    if (ticket === undefined) return false;
    const answer = await fetch(`${server?.url}v1/tickets/${ticket}`);
    const { state } = (await answer.json()) as { state: string };
    if (state === "applied") this.#applied.add(sequence);
    return state === "applied";
  }
}

class Server {
  readonly url: string;
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess, url: string) {
    this.#process = process;
    this.url = url;
  }

  static async start(): Promise<Server> {
    const child = spawn(process.execPath, [script, module, stateDir, "0"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const url = once(child.stdout as NodeJS.ReadableStream, "data").then(([line]) => String(line).trim());
    const ended = once(child, "exit").then(([code]) => {
      throw new Error(`the server ended with ${code} before it was up`);
    });
    return new Server(child, await Promise.race([url, ended]));
  }

  /** SIGKILL; workerd, which outlives its parent for a moment, is gone when it resolves. */
  async kill(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      this.#process.kill("SIGKILL");
      await once(this.#process, "exit");
    }
    await eventually(async () => {
      try {
        await fetch(this.url);
        return false;
      } catch {
        return true;
      }
    });
  }
}
