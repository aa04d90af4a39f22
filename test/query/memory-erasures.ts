/** MemoryErasures: the object that carries out erasures, in memory, for tests of the query app; they say when it runs. */
import type { ErasuresRpc } from "../../src/cloudflare/rpc.ts";
import type { Erasure, ErasurePorts, ErasureReport } from "../../src/engine/erasure/erasure.ts";
import { newErasure, reportOf } from "../../src/engine/erasure/erasure.ts";
import { continueErasure } from "../../src/engine/erasure/erasure-run.ts";
import type { MemoryShards } from "../../src/engine/memory-shards.ts";
import { forgetKey, wipe } from "../../src/engine/shard/erase.ts";

export class MemoryErasures implements ErasuresRpc {
  readonly erasures = new Map<string, Erasure>();
  readonly #shards: MemoryShards;

  constructor(shards: MemoryShards) {
    this.#shards = shards;
  }

  async start(view: string, key: string): Promise<ErasureReport> {
    const id = `erasure-${this.erasures.size + 1}`;
    const erasure = newErasure(id, view, key, this.#now());
    this.erasures.set(id, erasure);
    return reportOf(erasure);
  }

  async report(id: string): Promise<ErasureReport | null> {
    const erasure = this.erasures.get(id);
    return erasure === undefined ? null : reportOf(erasure);
  }

  /** Goes on with all that are not finished, once. */
  async run(): Promise<void> {
    for (const erasure of this.erasures.values()) {
      if (erasure.work === undefined) continue;
      await continueErasure(this.#shards.plan, erasure, this.#ports(), () => this.#now());
    }
  }

  #ports(): ErasurePorts {
    const shards = this.#shards;
    return {
      forget: async (operator, shard, key, released) =>
        forgetKey(shards.shard(operator, shard), key, released),
      wipe: async (operator, shard, marks) => wipe(shards.shard(operator, shard), marks),
      redrive: () => Promise.reject(new Error("nothing here is being sent again")),
      env: shards.options.env ?? {},
      save: (erasure) => {
        this.erasures.set(erasure.id, erasure);
      },
    };
  }

  #now(): number {
    return this.#shards.options.clock.now();
  }
}
