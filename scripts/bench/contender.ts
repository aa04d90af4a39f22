/** Contender: something that counts events over HTTP, running in a workerd of its own. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Runtime, type RuntimeOptions, startRuntime } from "../local/runtime.ts";
import type { WorkerSource } from "../local/workers.ts";
import type { Address } from "./load/protocol.ts";
import { cpuSeconds, memory, workerds } from "./process.ts";
import { countingJob } from "./sources.ts";

export const VIEW = "/v1/views/page-views";

const POLL_MS = 20;
const IDLE_MS = 1_000;

export class Contender {
  readonly name: string;
  readonly runtime: Runtime;
  /** Of its workerd; NaN where processes cannot be told. */
  pid: number;
  /** CPU seconds a second, and megabytes, when nothing is asked of it. */
  idle = { cpu: 0, memory: 0 };
  /** Events that it has accepted so far, and so must hold in the end. */
  accepted = 0;

  constructor(name: string, runtime: Runtime, pid: number) {
    this.name = name;
    this.runtime = runtime;
    this.pid = pid;
  }

  /** Where its door is: a socket of the Worker itself. */
  get address(): Address {
    const { hostname, port } = this.runtime.directUrl;
    return { host: hostname, port: Number(port) };
  }

  async total(): Promise<number> {
    const response = await fetch(new URL(`${VIEW}?total=1`, this.runtime.directUrl));
    if (!response.ok) throw new Error(`${this.name}: ${response.status} ${await response.text()}`);
    return ((await response.json()) as { total: number }).total;
  }

  /**
   * Waits until the view holds exactly what was accepted.
   *
   * @returns epoch milliseconds at which it was seen to.
   * @throws Error when it holds more, or when it stops growing before.
   */
  async settled(stallSeconds = 30): Promise<number> {
    let last = -1;
    let movedAt = Date.now();
    for (;;) {
      const total = await this.total();
      if (total === this.accepted) return Date.now();
      if (total > this.accepted)
        throw new Error(`${this.name} holds ${total} events, of ${this.accepted} that it accepted`);
      if (total !== last) movedAt = Date.now();
      last = total;
      if (Date.now() - movedAt > stallSeconds * 1000)
        throw new Error(`${this.name} holds ${total} events, of ${this.accepted} that it accepted`);
      await sleep(POLL_MS);
    }
  }

  /** Learns what it takes at rest. */
  async rest(): Promise<void> {
    const before = cpuSeconds(this.pid);
    await sleep(IDLE_MS);
    this.idle = { cpu: (cpuSeconds(this.pid) - before) / (IDLE_MS / 1000), memory: memory(this.pid) };
  }
}

export async function startContender(
  name: string,
  workers: readonly WorkerSource[],
  options: Pick<RuntimeOptions, "queueWait" | "stateDir">,
): Promise<Contender> {
  const before = workerds();
  const runtime = await startRuntime({
    ...options,
    workers,
    ...(name === "millrace" ? { register: countingJob } : {}),
    direct: true,
    onLog: ({ message }) => console.error(`${name}: ${message}`),
  });
  const contender = new Contender(name, runtime, newcomer(before));
  // The first request starts the Workers.
  await contender.total();
  return contender;
}

/** Ends its workerd and starts it again, as after a crash. */
export async function restartContender(contender: Contender): Promise<void> {
  const before = workerds().filter((pid) => pid !== contender.pid);
  await contender.runtime.restart();
  contender.pid = newcomer(before);
}

function newcomer(before: readonly number[]): number {
  return workerds().find((pid) => !before.includes(pid)) ?? Number.NaN;
}
