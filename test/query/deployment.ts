/** Deployment: the query app over real shards and stages in memory, fed through the real executors, with parts that can be taken down. */
import * as v from "valibot";
import { encodeTicket, ticketOf } from "../../src/cloudflare/http/ticket.ts";
import type { QueryEnv } from "../../src/cloudflare/query/app.ts";
import { queryApp } from "../../src/cloudflare/query/app.ts";
import type {
  BuriedEntry,
  CoordinatorRpc,
  ErasuresRpc,
  GraveyardRpc,
  NumberedDeadLetter,
  ShardRpc,
} from "../../src/cloudflare/rpc.ts";
import { MemoryQueue } from "../../src/engine/memory-queue.ts";
import { MemoryShards } from "../../src/engine/memory-shards.ts";
import { OperatorExecutor } from "../../src/engine/operator-executor.ts";
import { Producer } from "../../src/engine/producer.ts";
import type { SegmentId } from "../../src/engine/segment.ts";
import { ProducerKind } from "../../src/engine/segment.ts";
import type { DeadLetter, ShardCall, ShardReply } from "../../src/engine/shard/protocol.ts";
import {
  readApplied,
  readKey,
  readOutcomes,
  readRange,
  readStats,
  readTop,
  readTotals,
} from "../../src/engine/shard/reader.ts";
import { Redrive } from "../../src/engine/shard/redrive.ts";
import type { Shard, ShardLimits } from "../../src/engine/shard/shard.ts";
import { readWindows, readWindowTops } from "../../src/engine/shard/window-reader.ts";
import { SourceExecutor } from "../../src/engine/source-executor.ts";
import { StageExecutor } from "../../src/engine/stage-executor.ts";
import type { Reporter } from "../../src/engine/watermark/holds.ts";
import { Holds, timeOf } from "../../src/engine/watermark/holds.ts";
import type { Aggregator, Plan, SourceCollector, SourcePlan } from "../../src/index.ts";
import { count, Job, planJobs, Source, sum, VirtualClock } from "../../src/index.ts";
import type { QueueNames, StagePlan } from "../../src/plan.ts";
import { queuesOf, stagesOf } from "../../src/plan.ts";
import { MemoryErasures } from "./memory-erasures.ts";

export interface Item {
  readonly key: string;
  readonly n?: number;
  /** Event time, epoch milliseconds; the arrival by default. */
  readonly time?: number;
}

export class ItemReader extends Source<Item> {
  getEvents(input: unknown, collector: SourceCollector<Item>): void {
    const item = typeof input === "string" ? { key: input } : (input as Item);
    collector.emit(item, item.time === undefined ? {} : { time: item.time });
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

/** Shards of which some take no calls: what is emitted to them waits in outboxes. */
class HoldableShards extends MemoryShards {
  /** Names of operators. */
  readonly held = new Set<string>();

  override async apply(call: ShardCall): Promise<ShardReply> {
    if (this.held.has(call.operator)) throw new Error(`${call.operator} is held`);
    return super.apply(call);
  }
}

export class Deployment {
  readonly plan: Plan;
  readonly clock = new VirtualClock(Date.UTC(2026, 0, 31, 12));
  readonly shards: HoldableShards;
  readonly erasures: MemoryErasures;
  /** By the source or stage that they belong to. */
  readonly queues: ReadonlyMap<string, MemoryQueue>;
  readonly buried: BuriedEntry[] = [];
  /** `operator/shard`, `messages` or a queue's binding: whatever fails when it is asked. */
  readonly down = new Set<string>();
  /** Its shards were deployed before they could tell the outcomes of segments. */
  old = false;
  /** What never answers. */
  readonly hanging = new Set<string>();
  /** The names of shards that were asked, in turn. */
  readonly asked: string[] = [];
  readonly app: ReturnType<typeof queryApp>;
  readonly env: QueryEnv;
  readonly #producers = new Map<string, Producer>();
  readonly #executor: OperatorExecutor;
  readonly #stages: StageExecutor;

  /** @param resources what sinks may use. */
  constructor(
    plan: Plan = testPlan(),
    limits: Partial<ShardLimits> = {},
    resources: Readonly<Record<string, unknown>> = {},
  ) {
    const { clock } = this;
    this.plan = plan;
    this.queues = new Map(queuesOf(plan).map(({ name }) => [name, new MemoryQueue(1e6, clock)] as const));
    const queue = ({ name }: StagePlan) => this.queue(name);
    this.shards = new HoldableShards(plan, { clock, limits, queue, env: resources });
    this.erasures = new MemoryErasures(this.shards);
    this.app = queryApp({ plan, patience: 50, clock });
    this.#executor = new OperatorExecutor({
      plan,
      shards: this.shards,
      clock,
      queue,
      watermarks: this.shards.watermarks,
      claims: { claim: async (_producer, _fingerprint, sequences) => sequences.map(() => true) },
      graveyard: { bury: async () => undefined },
    });
    this.#stages = new StageExecutor({
      plan,
      shards: this.shards,
      watermarks: this.shards.watermarks,
      clock,
      wait: async (ms) => clock.advance(ms),
    });
    this.env = this.environment();
  }

  environment(vars: Partial<QueryEnv> = { OPEN: "yes" }): QueryEnv {
    return {
      SHARD: { getByName: (name) => this.#shard(name) },
      GRAVEYARD: { getByName: () => this.#graveyard() },
      ERASURES: { getByName: () => this.#erasures() },
      COORDINATOR: { getByName: (name) => this.#coordinator(name) },
      // WebSockets are the platform's: live views are tested where they run, in workerd.
      FEED: {
        getByName() {
          throw new Error("no feeds in memory");
        },
      },
      ...Object.fromEntries(
        queuesOf(this.plan).map(({ name, queue }) => [
          queue.binding,
          { metrics: () => this.#guarded(queue.binding, () => this.#metrics(name)) },
        ]),
      ),
      ...vars,
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
    const coordinator = this.shards.watermarks.ofSource(source);
    const holds = coordinator && new Holds({ source });
    const report: Reporter = (said) => coordinator?.holds(said);
    const held = holds?.enter(this.clock.now(), report);
    const arrival = this.clock.now();
    const { client } = options;
    const id = client ?? producer.next;
    const reading = executor.read({ values: records }, `${id.producer}.${id.sequence}`, arrival);
    if (reading.rejected.length > 0) throw new Error(JSON.stringify(reading.rejected));
    const kind = client === undefined ? ProducerKind.isolate : ProducerKind.client;
    const before = client === undefined ? producer.counted : 0;
    const time = timeOf(held, reading.watermark);
    const identity = { ...id, kind, arrival, before, single: client !== undefined, ...time };
    const { messages, segments } = executor.pack(reading, identity, this.queue(source).limits);
    if (client === undefined) producer.advance(segments.length, reading.accepted);
    held?.take(segments.length);
    await this.queue(source).send(messages);
    held?.leave();
    holds?.close(Number.POSITIVE_INFINITY, report);
    return encodeTicket(ticketOf(source, segments));
  }

  /**
   * Applies messages that wait, all or at most `max` of a source or stage, and lets shards hand on what comes of it; an
   * acknowledgement that is lost delivers them again.
   */
  async apply(name: string, max = Number.POSITIVE_INFINITY, acknowledge = true): Promise<void> {
    const queue = this.queue(name);
    const stage = stagesOf(this.plan).find((one) => one.name === name);
    for (let left = Math.min(max, queue.size); left > 0; ) {
      const batch = Math.min(left, 100);
      left -= batch;
      await queue.deliver(batch, (deliveries) => {
        const settled = acknowledge
          ? deliveries
          : deliveries.map((one) => ({ ...one, ack: () => undefined }));
        return stage === undefined
          ? this.#executor.consume(name, settled)
          : this.#stages.consume(stage, settled);
      });
    }
    await this.shards.idle();
  }

  /** Time passes, and whatever a shard or a coordinator has to do by then is done. @param ms 0 for what is due now. */
  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    this.shards.wake();
    while (await this.shards.watermarks.run());
    await this.shards.idle();
  }

  /** Of a source or a stage. */
  queue(name: string): MemoryQueue {
    return this.queues.get(name) as MemoryQueue;
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
      advance: () => Promise.reject(new Error("the query Worker tells no watermark")),
      progress: () => Promise.reject(new Error("the query Worker runs no stage")),
      wake: () => Promise.reject(new Error("the query Worker wakes nobody")),
      forget: () => Promise.reject(new Error("the query Worker has others forget")),
      wipe: () => Promise.reject(new Error("the query Worker has others wipe")),
      many: () => Promise.reject(new Error("feeds ask many things at a time, the query Worker does not")),
      watch: () => Promise.reject(new Error("feeds watch, the query Worker does not")),
      get: (key) => answer(() => readKey(shard, key) ?? null),
      top: (limit) => answer(() => readTop(shard, limit)),
      range: (range) => answer(() => readRange(shard, range)),
      totals: () => answer(() => readTotals(shard)),
      windows: (range) => answer(() => readWindows(shard, range)),
      windowTops: (range) => answer(() => readWindowTops(shard, range)),
      applied: (segments) => answer(() => readApplied(shard, segments)),
      outcomes: (segments) => answer(() => this.#outcomes(shard, segments)),
      stats: () => answer(() => readStats(shard)),
      deadLetters: (after, limit) => answer(() => deadLetters(after, limit)),
      redrive: (numbers) =>
        answer(async () => {
          const redrive = new Redrive(this.plan, shard, numbers);
          for (const { queue, messages } of redrive.sends) await this.#queueNamed(queue).send(messages);
          for (const call of redrive.calls) {
            const { busy, forgotten } = await this.shards.apply(call);
            if (busy === true || forgotten.length > 0) throw new Error("a letter was not taken");
          }
          return redrive.finish();
        }),
    };
  }

  #outcomes(shard: Shard, segments: readonly SegmentId[]) {
    // Worded by the runtime.
    if (this.old) throw new TypeError('The RPC receiver does not implement the method "outcomes".');
    return readOutcomes(shard, segments);
  }

  #queueNamed({ queue }: QueueNames): MemoryQueue {
    const owner = queuesOf(this.plan).find((one) => one.queue.queue === queue);
    if (owner === undefined) throw new Error(`no queue ${queue}`);
    return this.queue(owner.name);
  }

  #coordinator(name: string): CoordinatorRpc {
    const refuse = () => Promise.reject(new Error("the query Worker only looks at watermarks"));
    const status = () => {
      const known = this.shards.watermarks.status(name.split("/")[1] ?? "");
      if (known === undefined) throw new Error(`no watermarks of ${name}`);
      return known;
    };
    return {
      ...{ holds: refuse, committed: refuse, admit: refuse, want: refuse },
      status: () => this.#guarded("watermarks", status),
    };
  }

  #erasures(): ErasuresRpc {
    return {
      start: (view, key) => this.#guarded("erasures", () => this.erasures.start(view, key)),
      report: (id) => this.#guarded("erasures", () => this.erasures.report(id)),
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
