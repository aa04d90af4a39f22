/** ShardObject: a shard as a Durable Object. Storage and transport are here; the protocol is the engine's. */
import { DurableObject } from "cloudflare:workers";
import { systemClock } from "../../clock.ts";
import type { SegmentId } from "../../engine/segment.ts";
import { identityOf } from "../../engine/shard/identity.ts";
import type {
  DeadLetter,
  ShardCall,
  ShardReply,
  ShardStats,
  ViewEntry,
} from "../../engine/shard/protocol.ts";
import type { Totals } from "../../engine/shard/reader.ts";
import {
  readApplied,
  readKey,
  readRange,
  readStats,
  readTop,
  readTotals,
} from "../../engine/shard/reader.ts";
import { Redrive } from "../../engine/shard/redrive.ts";
import { Shard } from "../../engine/shard/shard.ts";
import { messageOf, PlanError, ShardRefusedError } from "../../errors.ts";
import type { OperatorPlan, Plan, SourcePlan } from "../../plan.ts";
import { PageCache } from "../../state/page-cache.ts";
import { bindingOf, CloudflareQueue } from "../queue.ts";
import type { Namespace, NumberedDeadLetter, RegistryRpc, ShardRpc } from "../rpc.ts";
import { REGISTRY_NAME } from "../rpc.ts";
import { SqliteStore } from "../sqlite-store.ts";

/** One budget for all shards that share this isolate's 128 MB. */
const cache = new PageCache();

export interface ShardEnv {
  readonly REGISTRY: Namespace<RegistryRpc>;
}

/** Extend it with the deployment's plan: `export class ShardObject extends shardObject(plan) {}`. */
export function shardObject(plan: Plan) {
  return class<Env extends ShardEnv> extends DurableObject<Env> implements ShardRpc {
    #shard: Shard | undefined;
    #registered = false;

    async apply(header: string, contents: readonly (string | null)[]): Promise<ShardReply> {
      const sealed = JSON.parse(header) as ShardCall;
      const segments = sealed.segments.map((segment, n) => ({ ...segment, content: contents[n] ?? null }));
      const call: ShardCall = { ...sealed, segments };
      const shard = this.#open();
      if (shard.lsn === 0 && !this.#registered) await this.#register(shard);
      // Another call may have failed and closed the shard while this one waited.
      return this.#guarded((open) => open.apply(call));
    }

    async get(key: string): Promise<ViewEntry | null> {
      return this.#guarded((shard) => readKey(shard, key) ?? null);
    }

    async top(limit: number): Promise<ViewEntry[]> {
      return this.#guarded((shard) => readTop(shard, limit));
    }

    async range(range: { prefix?: string; after?: string; limit: number }): Promise<ViewEntry[]> {
      return this.#guarded((shard) => readRange(shard, range));
    }

    async totals(): Promise<Totals> {
      return this.#guarded(readTotals);
    }

    async applied(segments: readonly SegmentId[]): Promise<boolean[]> {
      return this.#guarded((shard) => readApplied(shard, segments));
    }

    async stats(): Promise<ShardStats> {
      return this.#guarded(readStats);
    }

    async deadLetters(after: number, limit: number): Promise<NumberedDeadLetter[]> {
      return this.#guarded((shard) =>
        shard.options.store.listDeadLetters(after, limit).map(({ number, data }) => ({
          ...(JSON.parse(data) as DeadLetter),
          number,
        })),
      );
    }

    async redrive(numbers: readonly number[]): Promise<number> {
      const redrive = this.#guarded((shard) => new Redrive(plan, shard, numbers));
      for (const { source, messages } of redrive.sends) {
        const { queue } = plan.sources.get(source) as SourcePlan;
        const binding = bindingOf(this.env, { queue });
        if (binding === undefined)
          throw new PlanError(`no queue binding ${queue.binding}; run: npm run plan -- --write`);
        await new CloudflareQueue(binding).send(messages);
      }
      return this.#guarded(() => redrive.finish());
    }

    /** Opens the shard, which replays its log: the first call after a wake-up pays for it. */
    #open(): Shard {
      if (this.#shard === undefined) {
        const { operator, shard } = this.#whichShard();
        const { generation } = plan;
        const store = new SqliteStore(this.ctx.storage);
        this.#shard = new Shard({ generation, operator, shard, store, cache, clock: systemClock });
      }
      return this.#shard;
    }

    /**
     * Runs a synchronous piece of work on the shard. If it fails in any way but a refusal, memory may be ahead of
     * storage: the object is aborted, and the next call finds a fresh one.
     */
    #guarded<T>(work: (shard: Shard) => T): T {
      const shard = this.#open();
      try {
        return work(shard);
      } catch (error) {
        if (error instanceof ShardRefusedError) throw error;
        this.#shard = undefined;
        console.error(`${this.ctx.id.name ?? "shard"}: ${messageOf(error)}`);
        this.ctx.abort(messageOf(error));
        throw error;
      }
    }

    async #register(shard: Shard): Promise<void> {
      const refusal = await this.env.REGISTRY.getByName(REGISTRY_NAME).register(identityOf(shard.options));
      if (refusal !== null) throw new ShardRefusedError(refusal);
      this.#registered = true;
    }

    #whichShard(): { operator: OperatorPlan; shard: number } {
      const [, name = "", shard = ""] = this.ctx.id.name?.split("/") ?? [];
      const operator = plan.operators.get(name);
      if (operator === undefined)
        throw new PlanError(`object ${this.ctx.id.name ?? "without a name"}: no such operator`);
      return { operator, shard: Number(shard) };
    }
  };
}
