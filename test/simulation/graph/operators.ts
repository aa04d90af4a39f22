/** OperatorIsolates: the processes that take messages to the shards and run stages; they die in the middle of a batch. */
import type { BuriedMessage } from "../../../src/engine/operator-executor.ts";
import { OperatorExecutor } from "../../../src/engine/operator-executor.ts";
import { StageExecutor } from "../../../src/engine/stage-executor.ts";
import type { Plan } from "../../../src/index.ts";
import { queuesOf } from "../../../src/plan.ts";
import type { Process } from "./network.ts";
import { NetworkError } from "./network.ts";
import type { HandedOut, SimulatedQueue } from "./queue.ts";
import type { ShardsWorld, SimulatedShards } from "./shards.ts";
import type { Version } from "./spec.ts";

export interface OperatorsWorld extends ShardsWorld {
  readonly shards: SimulatedShards;
  /** By `{producer}.{sequence}`, the fingerprint whose copy counts. */
  readonly claims: Map<string, string>;
  readonly buried: BuriedMessage[];
  readonly sabotage: string | undefined;
}

export class OperatorIsolate implements Process {
  dead = false;
  readonly version: Version;
  readonly #world: OperatorsWorld;
  readonly #plan: Plan;
  readonly #executor: OperatorExecutor;
  readonly #stages: StageExecutor;
  readonly #out = new Set<HandedOut>();

  constructor(world: OperatorsWorld, version: Version) {
    const { network, clock, shards, queues } = world;
    this.version = version;
    this.#world = world;
    this.#plan = world.plans[version];
    const common = {
      plan: this.#plan,
      clock,
      watermarks: world.coordinator.client(this),
      random: () => 0.5,
      onError: (error: unknown, about: string) => world.onError(error, about),
    };
    this.#executor = new OperatorExecutor({
      ...common,
      shards: { apply: (call) => shards.call(this, call) },
      queue: (stage) => (queues.get(stage.queue.queue) as SimulatedQueue).port(this),
      claims: {
        claim: (producer, fingerprint, sequences) =>
          network.call(this, () =>
            sequences.map(
              (sequence) =>
                claim(world.claims, `${producer}.${sequence}`, fingerprint) ||
                world.sabotage === "claims always true",
            ),
          ),
      },
      graveyard: {
        bury: (message) => network.call(this, () => void world.buried.push(message)),
      },
    });
    this.#stages = new StageExecutor({
      ...common,
      shards: {
        apply: (call) => shards.call(this, call),
        progress: (operator, shard, segments) => shards.progress(this, operator, shard, segments),
      },
      wait: (ms) => network.wait(this, ms),
    });
  }

  get busy(): boolean {
    return this.#out.size > 0;
  }

  /** Takes some messages of a queue, if its version knows whose it is. */
  consume(queue: SimulatedQueue, most: number): void {
    const owner = queuesOf(this.#plan).find((one) => one.queue.queue === queue.name);
    if (owner === undefined) return;
    const batch = queue.take(most, this);
    if (batch.length === 0) return;
    for (const one of batch) this.#out.add(one);
    const deliveries = batch.map(({ delivery }) => delivery);
    if (this.#world.sabotage === "acknowledge before commit")
      for (const delivery of deliveries) delivery.ack();
    const consuming =
      "stage" in owner
        ? this.#stages.consume(owner, deliveries)
        : this.#executor.consume(queue.name, deliveries);
    void consuming
      .catch((error: unknown) => this.#world.onError(error, `consuming ${queue.name}`))
      .finally(() => this.#end(batch));
  }

  die(): void {
    this.dead = true;
    this.#world.network.died();
    this.#end([...this.#out]);
  }

  #end(batch: readonly HandedOut[]): void {
    for (const one of batch) {
      one.end();
      this.#out.delete(one);
    }
  }
}

/** The first plan to claim a segment holds it, durably. */
function claim(claims: Map<string, string>, id: string, fingerprint: string): boolean {
  if (!claims.has(id)) claims.set(id, fingerprint);
  return claims.get(id) === fingerprint;
}

/** Whether an error is one that the world made, or that the engine is to throw when the world is as it is. */
export function isExpected(error: unknown): boolean {
  if (error instanceof NetworkError) return true;
  const { name, message } = error as Error;
  if (["QueueError", "ShardRefusedError", "RejectedBatchError", "OperatorFailedError"].includes(name))
    return true;
  return /^(at a write|after a transaction|this shard was closed|unknown operator|broken|the stage's shard is busy)|no operator "|is the call for/.test(
    message,
  );
}
