/** MemoryShards: all shards of a plan in memory, with what they do by themselves, behind the contract of those on Workers. */
import type { Clock } from "../clock.ts";
import { messageOf, PlanError } from "../errors.ts";
import type { Event } from "../event.ts";
import type { LocalOperatorPlan, Plan, StagePlan } from "../plan.ts";
import { pullsOf } from "../plan.ts";
import { MemoryStore } from "../state/memory-store.ts";
import { PageCache } from "../state/page-cache.ts";
import type { StateStore } from "../state/store.ts";
import { unseal } from "./envelope.ts";
import type { EventQueue } from "./event-queue.ts";
import type { MemoryWatermarksOptions } from "./memory-watermarks.ts";
import { MemoryWatermarks } from "./memory-watermarks.ts";
import type { ShardClient } from "./operator-executor.ts";
import type { PackedEvent, SegmentId } from "./segment.ts";
import { RECORD_WIDTH, unpackEvent } from "./segment.ts";
import { ShardHost } from "./shard/host.ts";
import type { AdvanceCall, AdvanceReply, DeadLetter, ShardCall, ShardReply } from "./shard/protocol.ts";
import { readProgress } from "./shard/reader.ts";
import type { ShardLimits } from "./shard/shard.ts";
import { Shard } from "./shard/shard.ts";
import type { StageClient, StageProgress } from "./stage-executor.ts";

export interface MemoryShardsOptions {
  readonly clock: Clock;
  readonly limits?: Partial<ShardLimits>;
  readonly makeStore?: () => StateStore;
  /** The queue of a stage. */
  readonly queue?: (stage: StagePlan) => EventQueue;
  /** What sinks may use. */
  readonly env?: Readonly<Record<string, unknown>>;
  readonly onError?: (error: unknown, about: string) => void;
  /** How coordinators of watermarks go about it. */
  readonly watermarks?: MemoryWatermarksOptions["timing"];
}

export class MemoryShards implements ShardClient, StageClient {
  readonly #hosts = new Map<string, ShardHost>();
  readonly #locals = new Map<string, LocalOperatorPlan>();
  #cache = new PageCache();
  /** Events that operators with a map of their own threw on, or that never reached them. */
  readonly localDeadLetters: DeadLetter[] = [];

  readonly plan: Plan;
  readonly options: MemoryShardsOptions;
  readonly watermarks: MemoryWatermarks;
  /** What shards do by themselves at the moment. */
  readonly #background = new Set<Promise<void>>();

  constructor(plan: Plan, options: MemoryShardsOptions) {
    this.plan = plan;
    this.options = options;
    this.watermarks = new MemoryWatermarks(plan, {
      clock: options.clock,
      advance: (call) => this.advance(call),
      ...(options.watermarks === undefined ? {} : { timing: options.watermarks }),
      ...(options.onError === undefined ? {} : { onError: options.onError }),
    });
    for (const target of [...plan.sources.values()].flatMap((source) => source.targets)) {
      if (target.kind === "local") this.#locals.set(target.name, target);
    }
  }

  async apply(call: ShardCall): Promise<ShardReply> {
    const local = this.#locals.get(call.operator);
    if (local !== undefined) return this.#applyLocally(local, call);
    const host = this.host(call.operator, call.shard);
    const reply = host.apply(call);
    this.#start(host);
    return reply;
  }

  /** Tells a shard of a watermark; it fires what is due, and hands on what that emits. */
  async advance(call: AdvanceCall): Promise<AdvanceReply> {
    const host = this.host(call.operator, call.shard);
    const reply = host.advance(call);
    this.#start(host);
    return reply;
  }

  async progress(operator: string, shard: number, segments: readonly SegmentId[]): Promise<StageProgress[]> {
    return readProgress(this.shard(operator, shard), segments);
  }

  /** Starts whatever any shard has to do by now: timers, retries, batches, pull sources. */
  wake(): void {
    for (const { name } of pullsOf(this.plan)) this.host(name, 0);
    const now = this.options.clock.now();
    for (const host of this.#hosts.values()) {
      if ((host.nextDue() ?? Number.POSITIVE_INFINITY) <= now) this.#start(host);
    }
  }

  /** When the first shard has something to do, epoch milliseconds. @param but operators that do not count. */
  nextDue(but: ReadonlySet<string> = new Set()): number | undefined {
    const due = [...this.#hosts.values()]
      .filter(({ shard }) => !but.has(shard.options.operator.name))
      .map((host) => host.nextDue())
      .filter((at) => at !== undefined);
    return due.length === 0 ? undefined : Math.min(...due);
  }

  /** Resolves when no shard is doing anything by itself. */
  async idle(): Promise<void> {
    while (this.#background.size > 0) await Promise.all(this.#background);
  }

  /** What has been emitted and not been handed over. */
  get outboxSize(): number {
    return [...this.#hosts.values()].reduce((sum, { shard }) => sum + shard.outbox.size, 0);
  }

  /** @throws PlanError when there is no such operator. */
  shardsOf(operator: string): Shard[] {
    const { shards = 0 } = this.plan.operators.get(operator) ?? {};
    if (shards === 0)
      throw new PlanError(
        `no operator "${operator}"; there are: ${[...this.plan.operators.keys()].join(", ")}`,
      );
    return Array.from({ length: shards }, (_, shard) => this.shard(operator, shard));
  }

  shard(operator: string, shard: number): Shard {
    return this.host(operator, shard).shard;
  }

  /** @throws PlanError when there is no such operator. */
  host(operator: string, shard: number): ShardHost {
    const id = `${operator}/${shard}`;
    let known = this.#hosts.get(id);
    if (known === undefined) {
      known = this.#wake(operator, shard, this.options.makeStore?.() ?? new MemoryStore());
      this.#hosts.set(id, known);
    }
    return known;
  }

  /**
   * Throws all shards away and wakes each anew from its store, as after a deploy. What they do by themselves must have
   * ended: see `idle`.
   */
  restart(): void {
    this.#cache = new PageCache();
    this.watermarks.restart();
    for (const [id, host] of this.#hosts) {
      host.close();
      const { operator, shard, store } = host.shard.options;
      this.#hosts.set(id, this.#wake(operator.name, shard, store));
    }
  }

  #wake(operator: string, shard: number, store: StateStore): ShardHost {
    const plan = this.plan.operators.get(operator);
    if (plan === undefined) throw new PlanError(`no operator "${operator}"`);
    const { generation } = this.plan;
    const { clock, limits = {} } = this.options;
    return new ShardHost({
      plan: this.plan,
      shard: new Shard({ generation, operator: plan, shard, store, cache: this.#cache, clock, limits }),
      ports: {
        apply: (call) => this.apply(call),
        want: (...timer) => this.watermarks.want(...timer),
        queue: (stage) => this.#queueOf(stage),
        env: this.options.env ?? {},
        ...(this.options.onError === undefined ? {} : { onError: this.options.onError }),
      },
    });
  }

  #queueOf(stage: StagePlan): EventQueue {
    const queue = this.options.queue?.(stage);
    if (queue === undefined) throw new PlanError(`stage "${stage.name}" has no queue here`);
    return queue;
  }

  #start(host: ShardHost): void {
    const run = host.run().finally(() => this.#background.delete(run));
    this.#background.add(run);
  }

  /**
   * The article's executor: applies the operator to each event. A memory queue delivers once, so nothing is deduped;
   * what the operator throws is the event's failure, so nothing is delivered again either.
   */
  #applyLocally(local: LocalOperatorPlan, call: ShardCall): ShardReply {
    const nobody = { emit: () => undefined, emitTo: () => undefined };
    const bury = (
      source: string,
      letter: Pick<DeadLetter, "operator" | "error" | "n"> & { event: Event<unknown> },
    ) => this.localDeadLetters.push({ ...letter, source, time: this.options.clock.now() });
    for (const { source, content } of call.segments) {
      if (content === null) continue;
      const { records, dead } = unseal(content);
      for (const { operator, error, event, n } of dead) bury(source, { operator, error, event, n });
      for (let at = 0; at < records.length; at += RECORD_WIDTH) {
        const event = unpackEvent(records[at + 1] as PackedEvent, records[at] as string, local.keyed);
        const { key } = event;
        const context = { operator: local.name, ...(key === undefined ? {} : { key }) };
        try {
          const returned: unknown = local.operator.apply(event, nobody, context);
          if (!(returned instanceof Promise)) continue;
          returned.catch(() => undefined);
          throw new TypeError("apply returned a Promise, but nothing waits for it");
        } catch (error) {
          bury(source, {
            operator: local.name,
            error: messageOf(error),
            event,
            n: records[at + 2] as number,
          });
        }
      }
    }
    return { lsn: 0, applied: call.segments.length, duplicates: 0, forgotten: [], unreadable: [] };
  }
}
