/** ShardObject: a shard as a Durable Object. Storage, transport and alarms are here; the protocol is the engine's. */
import { DurableObject } from "cloudflare:workers";
import { systemClock } from "../../clock.ts";
import type { SegmentId } from "../../engine/segment.ts";
import { forgetKey, wipe } from "../../engine/shard/erase.ts";
import { ShardHost } from "../../engine/shard/host.ts";
import { identityOf } from "../../engine/shard/identity.ts";
import type {
  AdvanceCall,
  AdvanceReply,
  DeadLetter,
  EraseMarks,
  Forgotten,
  ShardReply,
  ShardStats,
  ViewEntry,
  Wiped,
} from "../../engine/shard/protocol.ts";
import type { Totals } from "../../engine/shard/reader.ts";
import { readApplied, readOutcomes, readProgress, readStats } from "../../engine/shard/reader.ts";
import type { SegmentOutcome } from "../../engine/shard/recent-segments.ts";
import { Redrive } from "../../engine/shard/redrive.ts";
import { Shard } from "../../engine/shard/shard.ts";
import type { WindowRange, WindowViewEntry } from "../../engine/shard/window-reader.ts";
import type { StageProgress } from "../../engine/stage-executor.ts";
import type { Usage, Usages } from "../../engine/usage.ts";
import { ONE_READ, ONE_REQUEST } from "../../engine/usage.ts";
import { WATERMARK_VERSION } from "../../engine/watermark/protocol.ts";
import { messageOf, PlanError, ShardRefusedError } from "../../errors.ts";
import type { OperatorPlan, Plan } from "../../plan.ts";
import { PageCache } from "../../state/page-cache.ts";
import { meteredEnv } from "../metered-env.ts";
import { queueOf } from "../queue.ts";
import type {
  CoordinatorRpc,
  FeedRpc,
  Namespace,
  NumberedDeadLetter,
  RegistryRpc,
  ShardAnswer,
  ShardQuestion,
  ShardRpc,
  Watch,
} from "../rpc.ts";
import { callShard, coordinatorName, joinCall, REGISTRY_NAME } from "../rpc.ts";
import { SqliteStore } from "../sqlite-store.ts";
import { Alarm } from "./alarm.ts";
import { Awake } from "./awake.ts";
import { answersTo, viewReads } from "./view-reads.ts";
import { Watchers } from "./watchers.ts";

/** One budget for all shards that share this isolate's 128 MB. */
const cache = new PageCache();

/** How often a shard of an operator that is no more says so. */
const ORPHAN_MS = 3_600_000;

/** Besides these, under its name from the plan, the queue of each stage, and what sinks use. */
export interface ShardEnv {
  readonly REGISTRY: Namespace<RegistryRpc>;
  readonly SHARD: Namespace<ShardRpc>;
  readonly COORDINATOR: Namespace<CoordinatorRpc>;
  readonly FEED: Namespace<FeedRpc>;
}

/** Extend it with the deployment's plan: `export class ShardObject extends shardObject(plan) {}`. */
export function shardObject(plan: Plan) {
  return class<Env extends ShardEnv> extends DurableObject<Env> implements ShardRpc {
    #host: ShardHost | undefined;
    #watchers: Watchers | undefined;
    #registered = false;
    readonly #alarm = new Alarm(this.ctx.storage, () => this.#use({ written: 1 }));
    readonly #awake = new Awake(systemClock, (usage) => this.#use(usage));
    /** What was used before the shard was open. */
    readonly #early: Usage[] = [];

    async apply(header: string, contents: readonly (string | null)[]): Promise<ShardReply> {
      const call = joinCall(header, contents);
      await this.#register();
      // Another call may have failed and closed the shard while this one waited.
      return this.#changing((host) => host.apply(call));
    }

    async advance(call: AdvanceCall): Promise<AdvanceReply> {
      await this.#register();
      return this.#changing((host) => host.advance(call));
    }

    async get(key: string, used?: Usages): Promise<ViewEntry | null> {
      return this.#read((shard) => viewReads.get(shard, key), used);
    }

    async top(limit: number, used?: Usages): Promise<ViewEntry[]> {
      return this.#read((shard) => viewReads.top(shard, limit), used);
    }

    async range(
      range: { prefix?: string; after?: string; limit: number },
      used?: Usages,
    ): Promise<ViewEntry[]> {
      return this.#read((shard) => viewReads.range(shard, range), used);
    }

    async totals(used?: Usages): Promise<Totals> {
      return this.#read(viewReads.totals, used);
    }

    async windows(range: WindowRange, used?: Usages): Promise<WindowViewEntry[]> {
      return this.#read((shard) => viewReads.windows(shard, range), used);
    }

    async windowTops(
      range: WindowRange & { readonly top: number },
      used?: Usages,
    ): Promise<WindowViewEntry[]> {
      return this.#read((shard) => viewReads.windowTops(shard, range), used);
    }

    async progress(segments: readonly SegmentId[]): Promise<StageProgress[]> {
      this.#use(ONE_REQUEST);
      return this.#guarded((shard) => readProgress(shard, segments));
    }

    async applied(segments: readonly SegmentId[], used?: Usages): Promise<boolean[]> {
      return this.#read((shard) => readApplied(shard, segments), used);
    }

    async outcomes(segments: readonly SegmentId[], used?: Usages): Promise<(SegmentOutcome | boolean)[]> {
      return this.#read((shard) => readOutcomes(shard, segments), used);
    }

    async stats(used?: Usages, feed?: string): Promise<ShardStats> {
      const stats = this.#read(readStats, used);
      // The health's feed looks again by itself while something moves.
      if (feed !== undefined) this.#watchers?.seen(feed, false);
      return stats;
    }

    async many(
      questions: readonly ShardQuestion[],
      feed: string,
      asks = false,
      used?: Usages,
    ): Promise<ShardAnswer[]> {
      const { shard } = this.#open();
      shard.usage.add(ONE_READ);
      shard.usage.take(used);
      const again = this.#watchers?.seen(feed, asks) ?? false;
      const answers = answersTo(questions, (read) => this.#guarded(read));
      return asks ? [...answers, { value: again }] : answers;
    }

    async watch({ feed }: Watch): Promise<void> {
      this.#open();
      this.#use(ONE_READ);
      this.#watchers?.add(feed);
    }

    async deadLetters(after: number, limit: number, used?: Usages): Promise<NumberedDeadLetter[]> {
      return this.#read(
        (shard) =>
          shard.options.store.listDeadLetters(after, limit).map(({ number, data }) => ({
            ...(JSON.parse(data) as DeadLetter),
            number,
          })),
        used,
      );
    }

    async redrive(numbers: readonly number[]): Promise<number> {
      this.#use(ONE_REQUEST);
      const redrive = this.#changing(({ shard }) => new Redrive(plan, shard, numbers));
      for (const { queue, messages } of redrive.sends) await queueOf(this.env, queue).send(messages);
      for (const call of redrive.calls) {
        const { busy, forgotten, unreadable } = await callShard(this.env.SHARD, call);
        if (busy === true)
          throw new ShardRefusedError(`shard ${call.operator}/${call.shard} is busy; try again`);
        if (forgotten.length + unreadable.length > 0) {
          throw new ShardRefusedError(`shard ${call.operator}/${call.shard} does not take it; try again`);
        }
      }
      return this.#guarded(() => redrive.finish());
    }

    async forget(key: string, released: boolean): Promise<Forgotten> {
      this.#use(ONE_REQUEST);
      return this.#changing(({ shard }) => forgetKey(shard, key, released));
    }

    async wipe(marks?: EraseMarks): Promise<Wiped> {
      this.#use(ONE_REQUEST);
      return this.#changing(({ shard }) => wipe(shard, marks));
    }

    async wake(): Promise<void> {
      this.#use(ONE_REQUEST);
      await this.#register();
      this.#changing(() => undefined);
    }

    override async alarm(): Promise<void> {
      this.#alarm.goneOff();
      this.#use(ONE_REQUEST);
      if (plan.operators.get(this.#operatorName) === undefined) {
        await this.#orphaned();
        return;
      }
      const work = async () => {
        await this.#register();
        const host = this.#open();
        await host.run();
        return host.nextDue();
      };
      await this.#awake.during(this.#alarm.serve(work));
    }

    /** Opens the shard, which replays its log: the first call after a wake-up pays for it. */
    #open(): ShardHost {
      if (this.#host === undefined) {
        const { operator, shard } = this.#whichShard();
        const { generation } = plan;
        const store = new SqliteStore(this.ctx.storage);
        const { env } = this;
        const onCommit = () => this.#watchers?.committed();
        const clock = systemClock;
        const opened = new Shard({ generation, operator, shard, store, cache, clock, onCommit });
        for (const usage of this.#early.splice(0)) opened.usage.add(usage);
        this.#host = new ShardHost({
          plan,
          shard: opened,
          ports: {
            apply: (call) => callShard(env.SHARD, call),
            want: (job, name, number, at) =>
              env.COORDINATOR.getByName(coordinatorName(generation, job)).want({
                v: WATERMARK_VERSION,
                ...{ operator: name, shard: number, at },
              }),
            queue: (stage) => queueOf(env, stage.queue),
            env: meteredEnv(env, (usage) => opened.usage.add(usage)),
            onError: (error, about) => console.error(`${about}: ${messageOf(error)}`),
          },
          onBroken: (error) => this.#abort(error),
        });
        this.#watchers = new Watchers(store, env.FEED, this.#awake);
        // What was emitted and perhaps not handed over goes at once, not only with the next commit.
        if (this.#host.shard.outbox.size > 0) this.#work(this.#host);
      }
      return this.#host;
    }

    /**
     * Runs a synchronous piece of work on the shard. If it fails in any way but a refusal, memory may be ahead of
     * storage: the object is aborted, and the next call finds a fresh one.
     */
    #guarded<T>(work: (shard: Shard) => T): T {
      return this.#open().guard(work);
    }

    /** Runs work that may leave something to be done, and sees to it that it is done. */
    #changing<T>(work: (host: ShardHost) => T): T {
      const host = this.#open();
      const result = host.guard(() => work(host));
      this.#awake.confirming(this.ctx.storage);
      this.#work(host);
      return result;
    }

    /** @param used what the reader has used: his again when this throws. */
    #read<T>(work: (shard: Shard) => T, used?: Usages): T {
      this.#use(ONE_READ);
      return this.#guarded((shard) => {
        const answer = work(shard);
        shard.usage.take(used);
        return answer;
      });
    }

    /** Does what is due in the background. Called in the turn of the commit. */
    #work(host: ShardHost): void {
      if (this.#alarm.promise(host.nextDue())) this.ctx.waitUntil(this.#awake.during(this.#runAndArm(host)));
    }

    async #runAndArm(host: ShardHost): Promise<void> {
      await host.run();
      await this.#alarm.next(host.nextDue());
    }

    #abort(error: unknown): void {
      this.#host = undefined;
      this.#watchers = undefined;
      console.error(`${this.ctx.id.name ?? "shard"}: ${messageOf(error)}`);
      this.ctx.abort(messageOf(error));
    }

    /** Asked once, before a shard first writes. @throws ShardRefusedError when the operator is not what it was. */
    async #register(): Promise<void> {
      if (this.#registered) return;
      const { shard } = this.#open();
      if (shard.lsn === 0) {
        this.#use(ONE_REQUEST);
        const refusal = await this.env.REGISTRY.getByName(REGISTRY_NAME).register(identityOf(shard.options));
        if (refusal !== null) throw new ShardRefusedError(refusal);
      }
      this.#registered = true;
    }

    /** Its operator was taken out of the jobs: what it has still to do waits until it is back, or is given up. */
    async #orphaned(): Promise<void> {
      const name = this.#operatorName;
      if (plan.retired.has(name)) return;
      console.error(`${name}: there is no such operator any more; bring it back, or list it as retired`);
      await this.ctx.storage.setAlarm(Date.now() + ORPHAN_MS);
    }

    /** For what the shard itself does not see. */
    #use(usage: Usage): void {
      if (this.#host === undefined) this.#early.push(usage);
      else this.#host.shard.usage.add(usage);
    }

    get #operatorName(): string {
      return this.ctx.id.name?.split("/")[1] ?? "";
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
