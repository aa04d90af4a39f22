/** Deployment: the query app over real shards in memory, fed through the real executors, with parts that can be taken down. */
import * as v from "valibot";
import { encodeTicket, ticketOf } from "../../src/cloudflare/http/ticket.ts";
import type { QueryEnv } from "../../src/cloudflare/query/app.ts";
import { queryApp } from "../../src/cloudflare/query/app.ts";
import type { BuriedEntry, GraveyardRpc, NumberedDeadLetter, ShardRpc } from "../../src/cloudflare/rpc.ts";
import { MemoryQueue } from "../../src/engine/memory-queue.ts";
import { MemoryShards } from "../../src/engine/memory-shards.ts";
import { OperatorExecutor } from "../../src/engine/operator-executor.ts";
import { Producer } from "../../src/engine/producer.ts";
import { ProducerKind } from "../../src/engine/segment.ts";
import type { DeadLetter } from "../../src/engine/shard/protocol.ts";
import {
  readApplied,
  readKey,
  readRange,
  readStats,
  readTop,
  readTotals,
} from "../../src/engine/shard/reader.ts";
import { Redrive } from "../../src/engine/shard/redrive.ts";
import { SourceExecutor } from "../../src/engine/source-executor.ts";
import type { Aggregator, Plan, SourceCollector, SourcePlan } from "../../src/index.ts";
import { count, Job, planJobs, Source, sum, VirtualClock } from "../../src/index.ts";

export interface Item {
  readonly key: string;
  readonly n?: number;
}

class ItemReader extends Source<Item> {
  getEvents(input: unknown, collector: SourceCollector<Item>): void {
    collector.emit(typeof input === "string" ? { key: input } : (input as Item));
  }
}

/** Counts, as text; throws when it meets the key "poison" behind the queue, until it is cured. */
export const illness = { cured: false };

function fragile(): Aggregator<Item, { n: number; poison: boolean }, string> {
  return {
    signature: "fragile@1",
    create: () => ({ n: 0, poison: false }),
    add: ({ n, poison }, { data }) => ({ n: n + 1, poison: poison || data.key === "poison" }),
    merge(left, right) {
      if (right.poison && !illness.cured) throw new Error("cannot merge poison");
      return { n: left.n + right.n, poison: false };
    },
    result: ({ n }) => `${n} times`,
  };
}

/** Sources clicks → counts (3 shards), texts (2); orders → amounts (2), few (1 shard, at most 2 keys). */
export function testPlan(): Plan {
  const shop = new Job("shop");
  const clicks = shop.addSource(new ItemReader("clicks"));
  clicks.keyBy(({ key }) => key).aggregate("counts", count(), { shards: 3 });
  clicks
    .filter(({ key }) => key !== "dropped")
    .keyBy(({ key }) => key)
    .aggregate("texts", fragile(), { shards: 2 });
  const books = new Job("books");
  const orders = books.addSource(new ItemReader("orders"));
  orders
    .keyBy(({ key }) => key)
    .aggregate(
      "amounts",
      sum(({ n = 1 }) => n),
      { shards: 2 },
    );
  orders.keyBy(({ key }) => key).aggregate("few", count(), { shards: 1, maxKeys: 2 });
  return planJobs([shop, books], { generation: 7 });
}

export interface SendOptions {
  /** A client's, with this producer and sequence; else the isolate's next. */
  readonly client?: { readonly producer: string; readonly sequence: number };
}

export class Deployment {
  readonly plan = testPlan();
  readonly clock = new VirtualClock(Date.UTC(2026, 0, 31, 12));
  readonly shards = new MemoryShards(this.plan, this.clock);
  readonly queues = new Map(
    [...this.plan.sources.keys()].map((name) => [name, new MemoryQueue(1e6, this.clock)] as const),
  );
  readonly buried: BuriedEntry[] = [];
  /** `operator/shard`, `messages` or a queue's binding: whatever fails when it is asked. */
  readonly down = new Set<string>();
  /** What never answers. */
  readonly hanging = new Set<string>();
  /** The names of shards that were asked, in turn. */
  readonly asked: string[] = [];
  readonly app = queryApp({ plan: this.plan, patience: 50 });
  readonly #producers = new Map<string, Producer>();
  readonly #executor = new OperatorExecutor({
    plan: this.plan,
    shards: this.shards,
    clock: this.clock,
    claims: { claim: async (_producer, _fingerprint, sequences) => sequences.map(() => true) },
    graveyard: { bury: async () => undefined },
  });

  readonly env: QueryEnv = this.environment();

  environment(keys: { KEYS?: string; OPEN?: string } = { OPEN: "yes" }): QueryEnv {
    return {
      ...keys,
      SHARD: { getByName: (name) => this.#shard(name) },
      GRAVEYARD: { getByName: () => this.#graveyard() },
      ...Object.fromEntries(
        [...this.plan.sources.values()].map(({ name, queue }) => [
          queue.binding,
          { metrics: () => this.#guarded(queue.binding, () => this.#metrics(name)) },
        ]),
      ),
    };
  }

  /** Accepts records and puts them into the queue. @returns the ticket */
  async send(
    source: string,
    records: readonly (string | Item)[],
    options: SendOptions = {},
  ): Promise<string> {
    const plan = this.plan.sources.get(source) as SourcePlan;
    const executor = new SourceExecutor(this.plan, plan);
    const producer = this.#producers.get(source) ?? new Producer();
    this.#producers.set(source, producer);
    const arrival = this.clock.now();
    const { client } = options;
    const id = client ?? producer.next;
    const values = records.map((value, index) => ({ index, value }));
    const reading = executor.read(values, `${id.producer}.${id.sequence}`, arrival);
    if (reading.rejected.length > 0) throw new Error(JSON.stringify(reading.rejected));
    const kind = client === undefined ? ProducerKind.isolate : ProducerKind.client;
    const before = client === undefined ? producer.counted : 0;
    const identity = { ...id, kind, arrival, before, single: client !== undefined };
    const { messages, segments } = executor.pack(reading, identity, this.queue(source).limits);
    if (client === undefined) producer.advance(segments.length, reading.accepted);
    await this.queue(source).send(messages);
    return encodeTicket(ticketOf(source, segments));
  }

  /** Applies messages that wait, all or at most `max` of a source; an acknowledgement that is lost delivers them again. */
  async apply(source: string, max = Number.POSITIVE_INFINITY, acknowledge = true): Promise<void> {
    const queue = this.queue(source);
    for (let left = Math.min(max, queue.size); left > 0; ) {
      const batch = Math.min(left, 100);
      left -= batch;
      await queue.deliver(batch, (deliveries) =>
        this.#executor.consume(
          source,
          acknowledge ? deliveries : deliveries.map((one) => ({ ...one, ack: () => undefined })),
        ),
      );
    }
  }

  queue(source: string): MemoryQueue {
    return this.queues.get(source) as MemoryQueue;
  }

  bury(body: string, redrivable = true): void {
    const number = (this.buried.at(-1)?.number ?? 0) + 1;
    const time = this.clock.now();
    this.buried.push({
      number,
      id: `m${number}`,
      queue: "millrace-clicks",
      reason: "broken",
      body,
      redrivable,
      time,
    });
  }

  request(path: string, init?: RequestInit, env: QueryEnv = this.env): Promise<Response> {
    return Promise.resolve(this.app.request(path, init, env));
  }

  /** The answer, which must be a 200 of this shape. */
  async get<Schema extends v.GenericSchema>(
    path: string,
    schema: Schema,
    init?: RequestInit,
  ): Promise<v.InferOutput<Schema>> {
    const response = await this.request(path, init);
    const text = await response.text();
    if (response.status !== 200) throw new Error(`${path}: ${response.status} ${text}`);
    return v.parse(schema, JSON.parse(text));
  }

  redrive(body: unknown): Promise<Response> {
    return this.request("/v1/dead-letters/redrive", { method: "POST", body: JSON.stringify(body) });
  }

  #shard(name: string): ShardRpc {
    const [generation, operator = "", number = ""] = name.split("/");
    if (generation !== "7") throw new Error(`generation ${generation}`);
    const id = `${operator}/${number}`;
    this.asked.push(id);
    const shard = this.shards.shard(operator, Number(number));
    const answer = <T>(work: () => T | Promise<T>) => this.#guarded(id, work);
    const deadLetters = (after: number, limit: number): NumberedDeadLetter[] =>
      shard.options.store
        .listDeadLetters(after, limit)
        .map(({ number, data }) => ({ ...(JSON.parse(data) as DeadLetter), number }));
    return {
      apply: () => Promise.reject(new Error("the query Worker does not apply")),
      get: (key) => answer(() => readKey(shard, key) ?? null),
      top: (limit) => answer(() => readTop(shard, limit)),
      range: (range) => answer(() => readRange(shard, range)),
      totals: () => answer(() => readTotals(shard)),
      applied: (segments) => answer(() => readApplied(shard, segments)),
      stats: () => answer(() => readStats(shard)),
      deadLetters: (after, limit) => answer(() => deadLetters(after, limit)),
      redrive: (numbers) =>
        answer(async () => {
          const redrive = new Redrive(this.plan, shard, numbers);
          for (const { source, messages } of redrive.sends) await this.queue(source).send(messages);
          return redrive.finish();
        }),
    };
  }

  #graveyard(): GraveyardRpc {
    return {
      bury: async () => undefined,
      list: (after, limit) =>
        this.#guarded("messages", () => this.buried.filter(({ number }) => number > after).slice(0, limit)),
      count: () => this.#guarded("messages", () => this.buried.length),
      redrive: (numbers) =>
        this.#guarded("messages", () => {
          const sent = this.buried.filter(({ number, redrivable }) => redrivable && numbers.includes(number));
          for (const message of sent) this.buried.splice(this.buried.indexOf(message), 1);
          return sent.length;
        }),
    };
  }

  async #metrics(source: string) {
    const { messages, bytes, oldest } = await this.queue(source).backlog();
    // The real binding gives a Date; the local one may give 0 for an empty queue.
    const oldestMessageTimestamp = oldest === undefined ? 0 : new Date(oldest);
    return { backlogCount: messages, backlogBytes: bytes, oldestMessageTimestamp };
  }

  async #guarded<T>(name: string, work: () => T | Promise<T>): Promise<T> {
    if (this.hanging.has(name)) return new Promise<T>(() => undefined);
    if (this.down.has(name)) throw new Error("out of order");
    // As over RPC: what comes back is a copy.
    return structuredClone(await work());
  }
}
