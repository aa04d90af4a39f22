/** PullTask: asks a pull source again and again, while what it gave before leaves fast enough. */
import type { ShardPorts } from "../ports.ts";
import { pullDueAt, pullOnce } from "../pull.ts";
import type { Shard } from "../shard.ts";
import type { Task } from "./task.ts";
import { Backoff } from "./task.ts";

const BUSY_MS = 500;

export class PullTask implements Task {
  readonly name = "pull";
  readonly #shard: Shard;
  readonly #ports: ShardPorts;
  readonly #guard: <T>(work: () => T) => T;
  readonly #backoff = new Backoff();
  /** Not stored while the source is idle. */
  #next = 0;

  constructor(shard: Shard, ports: ShardPorts, guard: <T>(work: () => T) => T) {
    this.#shard = shard;
    this.#ports = ports;
    this.#guard = guard;
  }

  dueAt(): number {
    return Math.max(this.#next, pullDueAt(this.#shard), this.#backoff.until);
  }

  async run(): Promise<void> {
    const { clock } = this.#shard.options;
    const now = clock.now();
    if (this.#shard.busy) {
      this.#next = now + BUSY_MS;
      return;
    }
    try {
      this.#next = await pullOnce(this.#shard, this.#ports.env, this.#guard);
      this.#backoff.succeeded();
    } catch (error) {
      this.#backoff.failed(clock.now(), error);
      throw error;
    }
  }
}
