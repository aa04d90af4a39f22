/**
 * The world of the event-time simulation: ingest isolates that hold the frontier over a bad network, a queue that misdelivers,
 * a coordinator and shards that die at any write, and a clock that only chance moves.
 */

import { MEMORY_LIMITS } from "../../../src/engine/memory-queue.ts";
import { MemoryShards } from "../../../src/engine/memory-shards.ts";
import { OperatorExecutor } from "../../../src/engine/operator-executor.ts";
import { Producer } from "../../../src/engine/producer.ts";
import { ProducerKind } from "../../../src/engine/segment.ts";
import type { AdvanceCall, AdvanceReply, ShardCall, ShardReply } from "../../../src/engine/shard/protocol.ts";
import { SourceExecutor } from "../../../src/engine/source-executor.ts";
import { Holds, timeOf } from "../../../src/engine/watermark/holds.ts";
import type { HoldReport } from "../../../src/engine/watermark/protocol.ts";
import { VirtualClock } from "../../../src/index.ts";
import { MemoryStore } from "../../../src/state/memory-store.ts";
import { CrashingStore } from "../crashing-store.ts";
import { Random } from "../random.ts";
import { BOUND, eventTimePlan, type Tick } from "./jobs.ts";
import type { Accepted } from "./recount.ts";

export const JOB = "event-time";
const HANDSHAKE = 1_000;
const START = Date.UTC(2026, 0, 1);
const KEYS = ["a", "b", "c"];

/** How often each thing went wrong. */
export interface Faults {
  crashes: number;
  duplicates: number;
  lostReports: number;
  delayedHolds: number;
  deadIsolates: number;
  restarts: number;
  failedAdvances: number;
  failedCalls: number;
}

interface Message {
  readonly source: "left" | "right";
  readonly body: string;
  readonly id: number;
}

export class World {
  readonly random: Random;
  readonly clock = new VirtualClock(START);
  readonly plan;
  readonly accepted: Accepted[] = [];
  readonly faults: Faults = {
    crashes: 0,
    duplicates: 0,
    lostReports: 0,
    delayedHolds: 0,
    deadIsolates: 0,
    restarts: 0,
    failedAdvances: 0,
    failedCalls: 0,
  };
  readonly shards: UnreliableShards;
  /** Nothing goes wrong any more: what is left comes to its end. */
  calm = false;
  readonly #stores: CrashingStore[] = [];
  readonly #waiting: Message[] = [];
  /** Reports of holds that are under way, and when they arrive. */
  #reports: { readonly at: number; readonly report: HoldReport }[] = [];
  #isolates = new Map<"left" | "right", Isolate>();
  #executor: OperatorExecutor;
  #ids = 0;

  constructor(seed: number) {
    this.random = new Random(seed);
    this.plan = eventTimePlan(this.random.pick([1, 2, 3]));
    this.shards = new UnreliableShards(this, () => {
      const store = new CrashingStore(new MemoryStore());
      this.#stores.push(store);
      return store;
    });
    this.#executor = this.#newExecutor();
  }

  /** One thing happens. */
  async step(): Promise<void> {
    const what = this.random.next();
    if (what < 0.35) this.#send();
    else if (what < 0.65) await this.#deliver();
    else if (what < 0.9) await this.#pass(this.random.int(1, 900));
    else if (what < 0.93) this.#planCrash();
    else if (what < 0.96) await this.restart();
    else this.#killIsolate();
  }

  /** Delivers everything, and lets time pass until nobody waits for a watermark any more. */
  async finish(): Promise<void> {
    this.calm = true;
    for (const store of this.#stores) store.calm();
    for (const side of ["left", "right"] as const) this.#killIsolate(side);
    for (let round = 0; round < 400; round++) {
      while (this.#waiting.length > 0) await this.#deliver();
      await this.#pass(1_000);
      const status = this.shards.watermarks.status(JOB);
      const waits = Object.values(status?.operators ?? {}).some(({ wanted }) => {
        // Sessions wait for what is very late.
        return wanted !== undefined && wanted < this.clock.now() + 1_000_000;
      });
      if (!waits && this.#waiting.length === 0 && this.shards.outboxSize === 0 && round > 60) return;
    }
    throw new Error(`windows are still open: ${JSON.stringify(this.shards.watermarks.status(JOB))}`);
  }

  /** Everything that is only in memory is lost. */
  async restart(): Promise<void> {
    this.faults.restarts++;
    await this.shards.idle();
    this.shards.restart();
    this.#executor = this.#newExecutor();
  }

  #send(): void {
    const side = this.random.pick(["left", "right"] as const);
    const isolate = this.#isolates.get(side) ?? new Isolate(side, this.random);
    this.#isolates.set(side, isolate);
    const now = this.clock.now();
    // An isolate's clock may be a little off; a report must arrive within the handshake.
    const report = (said: HoldReport) => {
      const at = now + this.random.int(0, HANDSHAKE - 100);
      if (at > now) this.faults.delayedHolds++;
      this.#reports.push({ at, report: said });
      if (this.random.chance(0.2)) this.#reports.push({ at: at + this.random.int(0, 300), report: said });
    };
    const held = isolate.holds.enter(now, report);
    const arrival = Math.max(now, held.start);
    const ticks = Array.from({ length: this.random.int(1, 4) }, (): Tick => {
      const behind = this.random.chance(0.25)
        ? this.random.int(BOUND[side] - 300, BOUND[side] + 4_000)
        : this.random.int(0, BOUND[side]);
      return { id: `e${this.#ids++}`, key: this.random.pick(KEYS), time: arrival - behind };
    });
    const executor = new SourceExecutor(this.plan, this.plan.sources.get(side) as never);
    const { producer } = isolate;
    const reading = executor.read({ values: ticks }, `${producer.id}.${producer.next.sequence}`, arrival);
    const { messages, segments } = executor.pack(
      reading,
      {
        ...producer.next,
        kind: ProducerKind.isolate,
        arrival,
        before: producer.counted,
        single: false,
        ...timeOf(held, reading.watermark),
      },
      MEMORY_LIMITS,
    );
    producer.advance(segments.length, reading.accepted);
    held.take(segments.length);
    for (const body of messages) this.#waiting.push({ source: side, body, id: this.#ids++ });
    held.leave();
    this.accepted.push(...ticks.map((tick) => ({ ...tick, side, arrival })));
  }

  /** Some messages of one source, in any order; some come twice, or again since an acknowledgement was lost. */
  async #deliver(): Promise<void> {
    const side = this.random.pick(["left", "right"] as const);
    const mine = this.random.shuffle(this.#waiting.filter(({ source }) => source === side));
    const batch = mine.slice(0, this.random.int(1, 5));
    if (batch.length === 0) return;
    const done = new Set<Message>();
    const deliveries = batch.map((message) => ({
      id: String(message.id),
      body: message.body,
      attempts: 1,
      ack: () => {
        if (this.calm || this.random.chance(0.85)) done.add(message);
        else this.faults.duplicates++;
      },
      retry: () => undefined,
    }));
    await this.#executor.consume(side, deliveries);
    await this.#afterwards();
    for (const message of done) this.#waiting.splice(this.#waiting.indexOf(message), 1);
  }

  async #pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    const now = this.clock.now();
    for (const { at, report } of this.#reports.filter((one) => one.at <= now)) {
      if (at <= now) this.shards.watermarks.of(JOB)?.holds(report);
    }
    this.#reports = this.#reports.filter(({ at }) => at > now);
    await this.#afterwards();
  }

  async #afterwards(): Promise<void> {
    await this.shards.settle();
    await this.shards.watermarks.run().catch(() => undefined);
    await this.shards.settle();
  }

  #planCrash(): void {
    const store = this.random.pick(this.#stores);
    if (store === undefined) return;
    if (this.random.chance(0.5)) store.writesLeft = this.random.int(0, 2);
    else store.transactionsLeft = this.random.int(1, 2);
  }

  /** What it has open is never closed; what it has sent is in the queue. */
  #killIsolate(side = this.random.pick(["left", "right"] as const)): void {
    if (this.#isolates.delete(side)) this.faults.deadIsolates++;
  }

  #newExecutor(): OperatorExecutor {
    const { watermarks } = this.shards;
    return new OperatorExecutor({
      plan: this.plan,
      shards: this.shards,
      clock: this.clock,
      claims: { claim: async (_producer, _fingerprint, sequences) => sequences.map(() => true) },
      graveyard: { bury: async () => undefined },
      watermarks: {
        committed: async (job, report) => {
          const how = this.calm ? 1 : this.random.next();
          if (how < 0.1) this.#lose();
          await watermarks.committed(job, report);
          if (how < 0.2) this.#lose();
        },
      },
    });
  }

  #lose(): never {
    this.faults.lostReports++;
    throw new Error("the network is down");
  }
}

class Isolate {
  readonly holds: Holds;
  readonly producer: Producer;

  constructor(side: string, random: Random) {
    this.producer = new Producer(random.hex(32));
    this.holds = new Holds({ source: side, newId: () => random.hex(16) });
  }
}

/** Shards that die when their stores do, and wake up anew, all at once: one process holds them. */
export class UnreliableShards extends MemoryShards {
  readonly #world: World;
  #broken = false;

  constructor(world: World, makeStore: () => CrashingStore) {
    super(world.plan, {
      clock: world.clock,
      makeStore,
      // Checkpoints and replay are a part of it.
      limits: { checkpointCommits: 3, checkpointStepPages: 1 },
      watermarks: { handshake: HANDSHAKE, tail: 30_000, interval: 0 },
    });
    this.#world = world;
  }

  override async apply(call: ShardCall): Promise<ShardReply> {
    const { random, calm, faults } = this.#world;
    // Between shards: what is emitted waits, and is handed over again.
    const fails =
      !calm && call.segments.some(({ kind }) => kind === ProducerKind.channel) && random.chance(0.2);
    if (fails) faults.failedCalls++;
    if (fails && random.chance(0.5)) throw new Error("the network is down");
    const reply = await this.#dying(() => super.apply(call));
    if (fails) throw new Error("the answer is lost");
    return reply;
  }

  override async advance(call: AdvanceCall): Promise<AdvanceReply> {
    const { random, calm, faults } = this.#world;
    const fails = !calm && random.chance(0.1);
    if (fails && random.chance(0.5)) {
      faults.failedAdvances++;
      throw new Error("the network is down");
    }
    const reply = await this.#dying(() => super.advance(call));
    if (!fails) return reply;
    faults.failedAdvances++;
    throw new Error("the answer is lost");
  }

  /** Whatever shards do by themselves ends; if one has died, all wake anew. */
  async settle(): Promise<void> {
    for (let round = 0; round < 100; round++) {
      this.wake();
      await this.idle();
      if (this.#broken) {
        this.#broken = false;
        this.restart();
        continue;
      }
      if ((this.nextDue() ?? Number.POSITIVE_INFINITY) > this.#world.clock.now()) return;
    }
  }

  async #dying<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      this.#broken = true;
      this.#world.faults.crashes++;
      throw error;
    }
  }
}
