/** WantTask: tells the coordinator of the shard's first timer in event time, when it is earlier than what it knows of. */
import type { ShardPorts } from "../ports.ts";
import type { Shard } from "../shard.ts";
import { nextTimerOf } from "../timers.ts";
import type { Task } from "./task.ts";
import { Backoff } from "./task.ts";

export class WantTask implements Task {
  readonly name = "watermark";
  readonly #shard: Shard;
  readonly #ports: ShardPorts;
  readonly #backoff = new Backoff();

  constructor(shard: Shard, ports: ShardPorts) {
    this.#shard = shard;
    this.#ports = ports;
  }

  dueAt(): number | undefined {
    return this.#untold() === undefined ? undefined : this.#backoff.until;
  }

  async run(): Promise<void> {
    const { clock, operator, shard } = this.#shard.options;
    try {
      for (let at = this.#untold(); at !== undefined; at = this.#untold()) {
        // Noted first: a round that comes meanwhile knows better.
        this.#shard.wanted = at;
        await this.#ports.want(operator.job, operator.name, shard, at);
      }
      this.#backoff.succeeded();
    } catch (error) {
      this.#shard.wanted = undefined;
      this.#backoff.failed(clock.now(), error);
      throw error;
    }
  }

  #untold(): number | undefined {
    const first = nextTimerOf(this.#shard, "event");
    const { wanted } = this.#shard;
    return first !== undefined && (wanted === undefined || first < wanted) ? first : undefined;
  }
}
