/** Redrives: dead letters that are sent again, by somebody who may be gone before all is sent. */
import { openEnvelope } from "../../../src/engine/envelope.ts";
import { Redrive } from "../../../src/engine/shard/redrive.ts";
import { FOR_GOOD } from "./build.ts";
import type { Process } from "./network.ts";
import { NetworkError } from "./network.ts";
import type { SimulatedQueue } from "./queue.ts";
import type { ShardsWorld, SimulatedShard, SimulatedShards } from "./shards.ts";
import type { Unit } from "./units.ts";

export interface RedrivesWorld extends ShardsWorld {
  readonly shards: SimulatedShards;
}

export class Redrives {
  readonly #world: RedrivesWorld;
  /** By letter (`{shard} {number}`), what it was sent as. */
  readonly #units = new Map<string, readonly Unit[]>();

  constructor(world: RedrivesWorld) {
    this.#world = world;
  }

  /** Shards with letters that may be sent again with a use, or must be. */
  candidates(): SimulatedShard[] {
    return [...this.#world.shards.all.values()].filter((shard) => this.#wanted(shard).length > 0);
  }

  /** Sends some letters of a shard again; all, in calm. */
  start(shard: SimulatedShard): void {
    const { random, faults, plans, version } = this.#world;
    if (!plans[version].operators.has(shard.operator)) return;
    const wanted = random.shuffle(this.#wanted(shard));
    const numbers = faults.calm ? wanted : wanted.slice(0, random.int(1, 5));
    if (numbers.length === 0) return;
    faults.happened("dead letters redriven");
    const process: Process = { dead: false };
    void this.#run(shard, numbers, process).catch((error: unknown) =>
      this.#world.onError(error, `redriving ${shard.name}`),
    );
    if (faults.strikes("redrive broken off")) process.dead = true;
  }

  async #run(shard: SimulatedShard, numbers: readonly number[], process: Process): Promise<void> {
    const { network, queues, shards } = this.#world;
    const redrive = await network.call(process, () => {
      const host = shard.host();
      const plan = shard.plan();
      shard.arm();
      const made = numbers.map((number) => host.guard((one) => new Redrive(plan, one, [number])));
      made.forEach((one, n) => this.#note(shard, numbers[n] as number, one));
      return made;
    });
    for (const one of redrive) {
      for (const { queue, messages } of one.sends) {
        await (queues.get(queue.queue) as SimulatedQueue).port(process).send(messages);
      }
      for (const call of one.calls) {
        const reply = await shards.call(process, call);
        if (reply.busy === true) throw new NetworkError("the shard is busy");
        if (reply.forgotten.length + reply.unreadable.length > 0) throw new Error("a redrive was not taken");
      }
      await network.call(process, () => shard.host().guard(() => one.finish()));
    }
  }

  #note(shard: SimulatedShard, number: number, { sends, calls }: Redrive): void {
    const units: Unit[] = [];
    for (const { source, messages } of sends) {
      for (const { producer, sequence, parts } of messages.flatMap((body) => openEnvelope(body).segments)) {
        for (const { operator, byShard } of parts)
          for (const one of byShard) units.push({ source, operator, producer, sequence, ...one });
      }
    }
    for (const { operator, shard: to, segments } of calls) {
      for (const { source, producer, sequence, content } of segments)
        units.push({ source, operator, shard: to, producer, sequence, content: content ?? "" });
    }
    this.#units.set(`${shard.name} ${number}`, units);
  }

  /** What letters that are out of the count, but still there, were sent as. */
  *sent(): IterableIterator<Unit> {
    for (const [shard, number] of this.#releasedLetters()) {
      yield* this.#units.get(`${shard.name} ${number}`) ?? [];
    }
  }

  /** Letters that are out of the count and were not sent as anything yet. */
  *unsent(): IterableIterator<{ source: string; operator: string; n: number }> {
    for (const [shard, number, { source, n }] of this.#releasedLetters()) {
      if (!this.#units.has(`${shard.name} ${number}`)) yield { source, operator: shard.operator, n };
    }
  }

  *#releasedLetters() {
    for (const shard of this.#world.shards.all.values()) {
      for (const { number, letter } of shard.letters()) {
        if (letter.released === true) yield [shard, number, letter] as const;
      }
    }
  }

  /** In calm, what is mended or half redriven; else any. */
  #wanted(shard: SimulatedShard): number[] {
    return shard
      .letters()
      .filter(
        ({ letter }) => !this.#world.faults.calm || letter.released === true || letter.error !== FOR_GOOD,
      )
      .map(({ number }) => number);
  }
}
