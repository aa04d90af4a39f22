/** Load: the messages that ingest would send for a stream of clicks, handed to the operator Worker batch by batch. */

import { QUEUE_LIMITS } from "../../src/cloudflare/queue.ts";
import type { Namespace, ShardRpc } from "../../src/cloudflare/rpc.ts";
import { shardName } from "../../src/cloudflare/rpc.ts";
import { randomId } from "../../src/engine/producer.ts";
import { ProducerKind } from "../../src/engine/segment.ts";
import type { ShardStats } from "../../src/engine/shard/protocol.ts";
import { SourceExecutor } from "../../src/engine/source-executor.ts";
import { plan } from "../../workers/jobs/index.ts";
import type { Runtime } from "../local/runtime.ts";

const BATCH = 100;
export const OPERATOR = "page-views";

export class Load {
  readonly #runtime: Runtime;
  readonly #executor: SourceExecutor;
  readonly #producer = randomId();
  #sequence = 0;
  #counted = 0;
  #waiting: string[] = [];
  #batches = 0;

  constructor(runtime: Runtime) {
    const source = plan.sources.get("clicks");
    if (source === undefined) throw new Error("the deployment has no source clicks");
    this.#runtime = runtime;
    this.#executor = new SourceExecutor(plan, source);
  }

  get batches(): number {
    return this.#batches;
  }

  /** One request with these clicks; full batches go to the operator Worker. */
  async request(urls: readonly string[]): Promise<void> {
    const arrival = Date.now();
    const reading = this.#executor.read({ values: urls }, "load", arrival);
    const identity = {
      producer: this.#producer,
      sequence: this.#sequence,
      kind: ProducerKind.isolate,
      arrival,
      before: this.#counted,
      single: false,
    };
    const { messages, segments } = this.#executor.pack(reading, identity, QUEUE_LIMITS);
    this.#sequence += segments.length;
    this.#counted += reading.accepted;
    for (const message of messages) {
      this.#waiting.push(message);
      if (this.#waiting.length === BATCH) await this.flush();
    }
  }

  async flush(): Promise<void> {
    if (this.#waiting.length === 0) return;
    const worker = await this.#runtime.miniflare.getWorker("millrace-operator");
    const messages = this.#waiting.map((body, n) => ({
      id: `${this.#batches}-${n}`,
      timestamp: new Date(),
      attempts: 1,
      body,
    }));
    this.#waiting = [];
    this.#batches++;
    const result = await worker.queue("millrace-clicks", messages);
    if (result.outcome !== "ok" || result.retryBatch.retry || result.retryMessages.length > 0) {
      throw new Error(`the operator Worker did not take a batch: ${JSON.stringify(result)}`);
    }
  }
}

export async function shards(runtime: Runtime): Promise<ShardRpc[]> {
  const { SHARD } = await runtime.bindings<{ SHARD: Namespace<ShardRpc> }>("millrace-operator");
  const operator = plan.operators.get(OPERATOR);
  return Array.from({ length: operator?.shards ?? 0 }, (_, shard) =>
    SHARD.getByName(shardName(plan.generation, OPERATOR, shard)),
  );
}

export async function allStats(runtime: Runtime): Promise<ShardStats[]> {
  return Promise.all((await shards(runtime)).map((shard) => shard.stats()));
}
