/**
 * Steady: sends at a given rate whatever the server does, and times each request from the moment it was due, so that a
 * server that stalls is not measured as one that got fewer requests. Meanwhile it posts marked events and looks for them.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { get, post } from "./bodies.ts";
import { Connection } from "./connection.ts";
import type { Address, ReadJob, ReadResult, SteadyJob, SteadyResult } from "./protocol.ts";
import { percentiles } from "./protocol.ts";

const PROBE_EVERY_MS = 50;
/** Between two looks for a marked event: what is measured is so much too long at most. */
const LOOK_MS = 2;
const PATIENCE_MS = 5_000;
const MOST_CONNECTIONS = 64;

let marks = 0;

export async function steady(job: SteadyJob, requests: readonly Buffer[]): Promise<SteadyResult> {
  const { to, rate, seconds } = job;
  const pool = new Pool(to);
  const times: number[] = [];
  const readable: number[] = [];
  const running: Promise<void>[] = [];
  let accepted = 0;
  const started = performance.now();
  const total = Math.floor(rate * seconds);
  const probing = probe(job, started + seconds * 1000, readable).then((sent) => {
    accepted += sent;
  });
  for (let n = 0; n < total; n++) {
    const due = started + (n * 1000) / rate;
    const wait = due - performance.now();
    if (wait > 1) await sleep(wait);
    const request = requests[n % requests.length] as Buffer;
    running.push(
      pool.send(request).then((status) => {
        times.push(status === 202 ? performance.now() - due : Number.POSITIVE_INFINITY);
        if (status === 202) accepted += job.workload.events;
      }),
    );
  }
  await Promise.all([...running, probing]);
  pool.close();
  return { accepted, post: percentiles(times), readable: percentiles(readable) };
}

/** Posts a marked event and reads its key until it is there; then the next. @returns how many were accepted. */
async function probe({ to, readPath }: SteadyJob, until: number, found: number[]): Promise<number> {
  const host = `${to.host}:${to.port}`;
  const connection = await Connection.open(to);
  let accepted = 0;
  while (performance.now() < until) {
    const key = `/mark/${process.pid}-${marks++}`;
    const read = get(host, readPath + encodeURIComponent(key));
    const posted = performance.now();
    const { status } = await connection.send(post(host, JSON.stringify([{ url: key }])));
    if (status !== 202) {
      found.push(Number.POSITIVE_INFINITY);
      await sleep(PROBE_EVERY_MS);
      continue;
    }
    accepted++;
    let seen = false;
    while (!seen && performance.now() < posted + PATIENCE_MS) {
      seen = (await connection.send(read)).status === 200;
      if (!seen) await sleep(LOOK_MS);
    }
    found.push(seen ? performance.now() - posted : Number.POSITIVE_INFINITY);
    await sleep(Math.max(0, posted + PROBE_EVERY_MS - performance.now()));
  }
  connection.close();
  return accepted;
}

export async function read({ to, path, keys, times }: ReadJob): Promise<ReadResult> {
  const host = `${to.host}:${to.port}`;
  const connection = await Connection.open(to);
  const taken: number[] = [];
  for (let n = 0; n < times; n++) {
    const key = `/products/item-${(n * 7919) % keys}`;
    const request = get(host, path.replace("*", encodeURIComponent(key)));
    const started = performance.now();
    const { status, body } = await connection.send(request);
    if (status !== 200) throw new Error(`${path} for ${key}: ${status} ${body}`);
    taken.push(performance.now() - started);
  }
  connection.close();
  return { times: percentiles(taken) };
}

/** Connections, as many as there are requests under way, up to a limit; past it requests wait, and the wait counts. */
class Pool {
  readonly #to: Address;
  readonly #free: Connection[] = [];
  readonly #queue: ((connection: Connection) => void)[] = [];
  #open = 0;

  constructor(to: Address) {
    this.#to = to;
  }

  async send(request: Buffer): Promise<number> {
    const connection = await this.#take();
    try {
      return (await connection.send(request)).status;
    } finally {
      const next = this.#queue.shift();
      if (next === undefined) this.#free.push(connection);
      else next(connection);
    }
  }

  close(): void {
    for (const connection of this.#free) connection.close();
  }

  async #take(): Promise<Connection> {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.#open++ < MOST_CONNECTIONS) return Connection.open(this.#to);
    return new Promise((resolve) => this.#queue.push(resolve));
  }
}
