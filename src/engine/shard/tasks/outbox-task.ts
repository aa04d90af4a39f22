/**
 * OutboxTask: hands over what a shard has emitted, to each destination in order and to all of them side by side.
 *
 * While one handing-over is under way, what is emitted gathers and goes with the next: under load many commits share
 * a call. A destination that fails or is busy holds up itself, until the outbox is full, and then this shard.
 */
import { byteLength } from "../../../byte-length.ts";
import { StateError } from "../../../errors.ts";
import type { OperatorPlan, Plan, StagePlan } from "../../../plan.ts";
import { encodeSealed } from "../../envelope.ts";
import { ProducerKind } from "../../segment.ts";
import type { OutboxEntry } from "../outbox.ts";
import { channelProducer, destinationOf, parseDestination } from "../outbox.ts";
import type { ShardPorts } from "../ports.ts";
import type { ShardSegment } from "../protocol.ts";
import { SHARD_CALL_VERSION } from "../protocol.ts";
import type { Shard } from "../shard.ts";
import type { Task } from "./task.ts";
import { Backoff } from "./task.ts";

/** Bytes of one handing-over, about. */
const CALL_BYTES = 1_000_000;

export class OutboxTask implements Task {
  readonly name = "outbox";
  readonly #plan: Plan;
  readonly #shard: Shard;
  readonly #ports: ShardPorts;
  readonly #backoffs = new Map<string, Backoff>();
  readonly #draining = new Map<string, Promise<void>>();

  constructor(plan: Plan, shard: Shard, ports: ShardPorts) {
    this.#plan = plan;
    this.#shard = shard;
    this.#ports = ports;
  }

  dueAt(): number | undefined {
    const { destinations } = this.#shard.outbox;
    if (destinations.length === 0) return undefined;
    return Math.min(...destinations.map((destination) => this.#backoff(destination).until));
  }

  async run(): Promise<void> {
    this.more();
    while (this.#draining.size > 0) await Promise.all(this.#draining.values());
  }

  /** Starts on destinations that nobody is at: a slow one, or one that always has more, holds up no other. */
  more(): void {
    const now = this.#shard.options.clock.now();
    for (const destination of this.#shard.outbox.destinations) {
      if (this.#draining.has(destination) || this.#backoff(destination).until > now) continue;
      const drain = this.#drain(destination).finally(() => this.#draining.delete(destination));
      this.#draining.set(destination, drain);
    }
  }

  /** Does not throw. */
  async #drain(destination: string): Promise<void> {
    const { outbox, options } = this.#shard;
    const backoff = this.#backoff(destination);
    try {
      for (;;) {
        const entries = outbox.pending(destination, CALL_BYTES);
        const last = entries.at(-1);
        if (last === undefined) return;
        if (!(await this.#handOver(destination, entries))) {
          backoff.busy(options.clock.now());
          return;
        }
        backoff.succeeded();
        this.#shard.confirm(destination, last.sequence + 1);
      }
    } catch (error) {
      backoff.failed(options.clock.now());
      this.#ports.onError?.(error, `outbox of ${this.#name} to ${destination}`);
    }
  }

  /** @returns false when the destination is busy. @throws when it cannot be told that all is committed, or queued. */
  async #handOver(destination: string, entries: readonly OutboxEntry[]): Promise<boolean> {
    const { operator: name, shard } = parseDestination(destination);
    const operator = this.#plan.operators.get(name);
    if (operator === undefined) {
      if (this.#plan.retired.has(name)) return true;
      throw new StateError(`there is no operator "${name}" any more; bring it back, or list it as retired`);
    }
    if (operator.kind === "stage") {
      await this.#queue(operator, shard, destination, entries);
      return true;
    }
    return this.#call(operator, shard, destination, entries);
  }

  async #call(
    { name, shards }: OperatorPlan,
    shard: number,
    destination: string,
    entries: readonly OutboxEntry[],
  ): Promise<boolean> {
    const { generation } = this.#plan;
    const segments = entries.map(
      ({ content, ...entry }): ShardSegment => ({
        ...this.#origin(destination, entry),
        source: this.#operator.name,
        anchored: true,
        content,
      }),
    );
    const call = { v: SHARD_CALL_VERSION, generation, operator: name, shard, shards, segments };
    const reply = await this.#ports.apply(call);
    const [refused] = [...reply.forgotten, ...reply.unreadable];
    if (refused !== undefined) {
      throw new StateError(`${destination} does not take segment ${refused.sequence} of ${this.#name}`);
    }
    return reply.busy !== true;
  }

  async #queue(
    stage: StagePlan,
    shard: number,
    destination: string,
    entries: readonly OutboxEntry[],
  ): Promise<void> {
    const { generation, fingerprint } = this.#plan;
    const { name, shards } = stage;
    const queue = this.#ports.queue(stage);
    const messages: string[] = [];
    let sum = 0;
    for (const { content, ...entry } of entries) {
      const part = { operator: name, shards, byShard: [{ shard, content }] };
      const segments = [{ ...this.#origin(destination, entry), parts: [part] }];
      const message = encodeSealed({ generation, fingerprint, source: this.#operator.name, segments });
      const bytes = byteLength(message);
      // An entry was cut to fit a message by itself; whatever more a send could hold waits for the next.
      if (messages.length === queue.limits.messages || sum + bytes > queue.limits.sendBytes) {
        await queue.send(messages.splice(0));
        sum = 0;
      }
      messages.push(message);
      sum += bytes;
    }
    await queue.send(messages);
  }

  #origin(destination: string, { sequence, arrival, events, before }: Omit<OutboxEntry, "content">) {
    const producer = channelProducer(this.#plan.generation, this.#name, destination);
    return { producer, sequence, kind: ProducerKind.channel, arrival, events, before };
  }

  get #operator(): OperatorPlan {
    return this.#shard.options.operator;
  }

  get #name(): string {
    return destinationOf(this.#operator.name, this.#shard.options.shard);
  }

  #backoff(destination: string): Backoff {
    let backoff = this.#backoffs.get(destination);
    if (backoff === undefined) {
      backoff = new Backoff();
      this.#backoffs.set(destination, backoff);
    }
    return backoff;
  }
}
