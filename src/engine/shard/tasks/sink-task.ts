/** SinkTask: writes the batches of a sink, one after the other. */
import { messageOf, RejectedBatchError } from "../../../errors.ts";
import type { Event } from "../../../event.ts";
import type { SinkPlan } from "../../../plan.ts";
import type { ShardPorts } from "../ports.ts";
import type { Shard } from "../shard.ts";
import { finishBatch, sinkDueAt, takeBatch } from "../sink-batches.ts";
import type { Task } from "./task.ts";
import { Backoff } from "./task.ts";

export class SinkTask implements Task {
  readonly name = "sink";
  readonly #shard: Shard;
  readonly #operator: SinkPlan;
  readonly #ports: ShardPorts;
  readonly #guard: <T>(work: () => T) => T;
  readonly #backoff = new Backoff();

  constructor(shard: Shard, operator: SinkPlan, ports: ShardPorts, guard: <T>(work: () => T) => T) {
    this.#shard = shard;
    this.#operator = operator;
    this.#ports = ports;
    this.#guard = guard;
  }

  dueAt(): number | undefined {
    const due = sinkDueAt(this.#shard);
    return due === undefined ? undefined : Math.max(due, this.#backoff.until);
  }

  async run(): Promise<void> {
    const { clock } = this.#shard.options;
    for (;;) {
      const batch = this.#guard(() => takeBatch(this.#shard, clock.now()));
      if (batch === undefined) return;
      const rejected = new Map<Event<unknown>, string>();
      const reject = (event: Event<unknown>, reason: string) => void rejected.set(event, reason);
      try {
        if (batch.events.length > 0) await this.#operator.sink.write(batch, { env: this.#ports.env, reject });
        this.#backoff.succeeded();
      } catch (error) {
        if (!(error instanceof RejectedBatchError)) {
          this.#backoff.failed(clock.now(), error);
          throw error;
        }
        for (const event of batch.events) reject(event, messageOf(error));
      }
      this.#guard(() => finishBatch(this.#shard, batch, rejected));
    }
  }
}
