/** SimulatedShards: all shards of a job over stores that crash, woken up, evicted and deployed as the world says. */
import type { VirtualClock } from "../../../src/clock.ts";
import { MAX_TIME } from "../../../src/clock.ts";
import type { SegmentId } from "../../../src/engine/segment.ts";
import { ShardHost } from "../../../src/engine/shard/host.ts";
import type { ShardPorts } from "../../../src/engine/shard/ports.ts";
import type { AdvanceCall, AdvanceReply, ShardCall, ShardReply } from "../../../src/engine/shard/protocol.ts";
import { readProgress } from "../../../src/engine/shard/reader.ts";
import type { ShardLimits } from "../../../src/engine/shard/shard.ts";
import { Shard } from "../../../src/engine/shard/shard.ts";
import type { StageProgress } from "../../../src/engine/stage-executor.ts";
import type { OperatorPlan, Plan } from "../../../src/index.ts";
import { MemoryStore } from "../../../src/state/memory-store.ts";
import { PageCache } from "../../../src/state/page-cache.ts";
import { Crash, CrashingStore } from "../crashing-store.ts";
import type { Random } from "../random.ts";
import type { SimulatedCoordinator } from "./coordinator.ts";
import type { Faults } from "./faults.ts";
import type { Network, Process } from "./network.ts";
import { NetworkError } from "./network.ts";
import type { SimulatedQueue } from "./queue.ts";
import type { Version } from "./spec.ts";
import { VERSIONS } from "./spec.ts";
import { lettersOf } from "./units.ts";

export interface ShardsWorld {
  readonly plans: Readonly<Record<Version, Plan>>;
  readonly random: Random;
  readonly clock: VirtualClock;
  readonly faults: Faults;
  readonly network: Network;
  readonly queues: ReadonlyMap<string, SimulatedQueue>;
  readonly limits: Partial<ShardLimits>;
  readonly coordinator: SimulatedCoordinator;
  /** What sinks find in `env` of one process. */
  env(owner: Process): Readonly<Record<string, unknown>>;
  /** What hooks of the engine are told of. */
  onError(error: unknown, about: string): void;
  readonly sabotage: string | undefined;
  /** No process dies. */
  readonly steady: boolean;
  /** The version that wakes up now. */
  version: Version;
}

/** One shard: its storage, and the object that holds it at the moment, if any. */
export class SimulatedShard {
  readonly store = new MemoryStore();
  readonly crashing = new CrashingStore(this.store);
  readonly operator: string;
  readonly number: number;
  readonly #world: ShardsWorld;
  readonly #cache = new PageCache(1);
  #open: { readonly host: ShardHost; readonly plan: Plan; readonly process: Process } | undefined;
  #stored: { readonly writes: number; readonly shard: Shard } | undefined;
  #letters: { readonly writes: number; readonly letters: ReturnType<typeof lettersOf> } | undefined;

  constructor(world: ShardsWorld, operator: string, number: number) {
    this.#world = world;
    this.operator = operator;
    this.number = number;
  }

  get name(): string {
    return `${this.operator}/${this.number}`;
  }

  get isAwake(): boolean {
    return this.#open !== undefined;
  }

  /** Segments that it has emitted, and that nobody has confirmed. */
  get unconfirmed(): number {
    return this.#open?.host.shard.outbox.size ?? 0;
  }

  /** The plan that the host runs with. */
  plan(): Plan {
    this.host();
    return (this.#open as { plan: Plan }).plan;
  }

  /** The host, woken up if need be. @throws NetworkError when the version that is deployed has no such operator. */
  host(): ShardHost {
    if (this.#open !== undefined) return this.#open.host;
    const { plans, version, network, queues } = this.#world;
    const plan = plans[version];
    const operator = plan.operators.get(this.operator);
    if (operator === undefined) throw new NetworkError(`${this.operator} is not deployed`);
    const process: Process = { dead: false };
    const shard = this.#wake(operator, this.crashing, this.#cache);
    const ports: ShardPorts = {
      apply: (call) => this.#call(process, call),
      want: (_job, operator, number, at) => this.#world.coordinator.want(process, operator, number, at),
      queue: (stage) => (queues.get(stage.queue.queue) as SimulatedQueue).port(process),
      env: this.#world.env(process),
      onError: (error, about) => this.#world.onError(error, about),
    };
    const onBroken = (error: unknown) => {
      if (this.#open?.process === process) this.#broke(error);
    };
    const host = new ShardHost({ plan, shard, ports, onBroken });
    this.#open = { host, plan, process };
    network.died();
    return host;
  }

  /** How another shard is called; set by SimulatedShards. */
  callOther: (owner: Process, call: ShardCall) => Promise<ShardReply> = () => {
    throw new Error("not connected");
  };

  /** Makes a write or a transaction that comes soon its last one. */
  arm(): void {
    const { random, faults, steady } = this.#world;
    const { crashing } = this;
    if (steady) return;
    if (crashing.writesLeft !== undefined || crashing.transactionsLeft !== undefined) return;
    if (faults.may("crash at a write")) crashing.writesLeft = random.int(0, 4);
    else if (faults.may("crash after a transaction")) crashing.transactionsLeft = random.int(1, 3);
  }

  /** The object is thrown away: nothing of it is left but its storage. */
  evict(): void {
    const open = this.#open;
    if (open === undefined) return;
    const { faults, network } = this.#world;
    if (!faults.calm && open.host.shard.outbox.size > 0) faults.happened("shard died before it handed over");
    open.host.close();
    open.process.dead = true;
    this.#open = undefined;
    network.died();
  }

  /** What is stored, read by a shard that wakes up beside the running one. It is only to be looked at. */
  stored(): Shard {
    const { writes } = this.crashing;
    if (this.#stored?.writes !== writes) {
      const { plans } = this.#world;
      const operator = VERSIONS.map((one) => plans[one].operators.get(this.operator)).findLast(
        (one) => one !== undefined,
      ) as OperatorPlan;
      this.#stored = { writes, shard: this.#wake(operator, this.store, new PageCache()) };
    }
    return this.#stored.shard;
  }

  /** The dead letters that are stored. */
  letters(): ReturnType<typeof lettersOf> {
    const { writes } = this.crashing;
    if (this.#letters?.writes !== writes) this.#letters = { writes, letters: lettersOf(this.store) };
    return this.#letters.letters;
  }

  #wake(operator: OperatorPlan, store: MemoryStore | CrashingStore, cache: PageCache): Shard {
    const { clock, limits } = this.#world;
    return new Shard({
      generation: 1,
      operator,
      shard: this.number,
      store,
      cache,
      clock,
      limits,
    });
  }

  #broke(error: unknown): void {
    const { faults } = this.#world;
    if (error instanceof Crash) {
      faults.happened(error.message === "at a write" ? "crash at a write" : "crash after a transaction");
    } else {
      this.#world.onError(error, `${this.name} broke`);
    }
    this.evict();
  }

  #call(process: Process, call: ShardCall): Promise<ShardReply> {
    const reply = this.callOther(process, call);
    if (this.#world.sabotage !== "confirm before commit") return reply;
    reply.catch(() => undefined);
    const { length: applied } = call.segments;
    return Promise.resolve({ lsn: 0, applied, duplicates: 0, forgotten: [], unreadable: [] });
  }
}

export class SimulatedShards {
  readonly all = new Map<string, SimulatedShard>();
  readonly #world: ShardsWorld;

  constructor(world: ShardsWorld) {
    this.#world = world;
    for (const plan of Object.values(world.plans)) {
      for (const { name, shards } of plan.operators.values()) {
        for (let number = 0; number < shards; number++) {
          if (this.all.has(`${name}/${number}`)) continue;
          const shard = new SimulatedShard(world, name, number);
          shard.callOther = (owner, call) => this.call(owner, call);
          this.all.set(shard.name, shard);
        }
      }
    }
  }

  of(operator: string): SimulatedShard[] {
    return [...this.all.values()].filter((shard) => shard.operator === operator);
  }

  /** @throws NetworkError when there is none of this name in any version. */
  get(operator: string, number: number): SimulatedShard {
    const shard = this.all.get(`${operator}/${number}`);
    if (shard === undefined) throw new NetworkError(`there is no shard ${operator}/${number}`);
    return shard;
  }

  /** A call over the network, to a shard that may crash in it, and that does what it then has to do by itself. */
  call(owner: Process, call: ShardCall): Promise<ShardReply> {
    return this.#world.network.call(owner, () => {
      const shard = this.get(call.operator, call.shard);
      const host = shard.host();
      shard.arm();
      const reply = host.apply(structuredClone(call));
      if (reply.busy === true) this.#world.faults.happened("shard busy");
      if (this.#world.faults.calm || this.#world.random.chance(0.7)) void host.run();
      return reply;
    });
  }

  /** The coordinator's call, when it arrives: the shard may crash in the middle of what it fires. */
  advance(call: AdvanceCall): AdvanceReply {
    const shard = this.get(call.operator, call.shard);
    const host = shard.host();
    shard.arm();
    const reply = host.advance(structuredClone(call));
    if (this.#world.faults.calm || this.#world.random.chance(0.7)) void host.run();
    return reply;
  }

  progress(owner: Process, operator: string, number: number, segments: readonly SegmentId[]) {
    return this.#world.network.call<StageProgress[]>(owner, () =>
      readProgress(this.get(operator, number).host().shard, segments),
    );
  }

  /** The alarm of a shard: does what is due. */
  alarm(shard: SimulatedShard): void {
    if (!this.#world.plans[this.#world.version].operators.has(shard.operator)) return;
    const host = shard.host();
    if ((host.nextDue() ?? Number.POSITIVE_INFINITY) > this.#world.clock.now()) return;
    shard.arm();
    void host.run();
  }

  /** When the first has something to do, epoch milliseconds. @param but operators that do not count. */
  nextDue(but: ReadonlySet<string>): number | undefined {
    const { plans, version } = this.#world;
    const due = [...this.all.values()]
      .filter(({ operator }) => plans[version].operators.has(operator) && !but.has(operator))
      .map((shard) => shard.host().nextDue())
      // What is kept for ever is due when time ends.
      .filter((at): at is number => at !== undefined && at < MAX_TIME);
    return due.length === 0 ? undefined : Math.min(...due);
  }
}
