/** MemoryShards: all shards of a plan in memory, behind the same contract as the ones on Workers. */
import type { Clock } from "../clock.ts";
import { messageOf, PlanError } from "../errors.ts";
import type { Event } from "../event.ts";
import type { LocalOperatorPlan, Plan } from "../plan.ts";
import { MemoryStore } from "../state/memory-store.ts";
import { PageCache } from "../state/page-cache.ts";
import type { StateStore } from "../state/store.ts";
import { unseal } from "./envelope.ts";
import type { ShardClient } from "./operator-executor.ts";
import { RECORD_WIDTH } from "./segment.ts";
import type { DeadLetter, ShardCall, ShardReply } from "./shard/protocol.ts";
import type { ShardLimits } from "./shard/shard.ts";
import { Shard } from "./shard/shard.ts";

export class MemoryShards implements ShardClient {
  readonly #shards = new Map<string, Shard>();
  readonly #locals = new Map<string, LocalOperatorPlan>();
  readonly #cache = new PageCache();
  /** Events that operators with a map of their own threw on, or that never reached them. */
  readonly localDeadLetters: DeadLetter[] = [];

  readonly plan: Plan;
  readonly clock: Clock;
  readonly limits: Partial<ShardLimits>;
  readonly makeStore: () => StateStore;

  constructor(
    plan: Plan,
    clock: Clock,
    limits: Partial<ShardLimits> = {},
    makeStore: () => StateStore = () => new MemoryStore(),
  ) {
    this.plan = plan;
    this.clock = clock;
    this.limits = limits;
    this.makeStore = makeStore;
    for (const target of [...plan.sources.values()].flatMap((source) => source.targets)) {
      if (target.kind === "local") this.#locals.set(target.name, target);
    }
  }

  async apply(call: ShardCall): Promise<ShardReply> {
    const local = this.#locals.get(call.operator);
    if (local !== undefined) return this.#applyLocally(local, call);
    return this.shard(call.operator, call.shard).apply(call);
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
    const id = `${operator}/${shard}`;
    let known = this.#shards.get(id);
    if (known === undefined) {
      const plan = this.plan.operators.get(operator);
      if (plan === undefined) throw new PlanError(`no operator "${operator}"`);
      const { generation } = this.plan;
      const store = this.makeStore();
      known = new Shard({
        generation,
        operator: plan,
        shard,
        store,
        cache: this.#cache,
        clock: this.clock,
        limits: this.limits,
      });
      this.#shards.set(id, known);
    }
    return known;
  }

  /**
   * The article's executor: applies the operator to each event. A memory queue delivers once, so nothing is deduped;
   * what the operator throws is the event's failure, so nothing is delivered again either.
   */
  #applyLocally(local: LocalOperatorPlan, call: ShardCall): ShardReply {
    const nobody = { emit: () => undefined };
    const bury = (
      source: string,
      letter: Pick<DeadLetter, "operator" | "error" | "n"> & { event: Event<unknown> },
    ) => this.localDeadLetters.push({ ...letter, source, time: this.clock.now() });
    for (const { source, content } of call.segments) {
      if (content === null) continue;
      const { records, dead } = unseal(content);
      for (const { operator, error, event, n } of dead) bury(source, { operator, error, event, n });
      for (let at = 0; at < records.length; at += RECORD_WIDTH) {
        const event = records[at + 1] as Event<unknown>;
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
