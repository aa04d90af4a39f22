/** WorldOutside: the work of stages and the requests of pollers, which take their time and fail. */
import type { Event } from "../../../src/index.ts";
import type { Random } from "../random.ts";
import type { Faults } from "./faults.ts";
import type { Outside } from "./functions.ts";
import type { Network } from "./network.ts";
import { NetworkError } from "./network.ts";
import type { Datum } from "./semantics.ts";

/** User code has nobody to ask whether its isolate lives: it goes on, and what it comes to is lost with the isolate. */
const SOMEWHERE = { dead: false };

export interface OutsideWorld {
  readonly random: Random;
  readonly faults: Faults;
  readonly network: Network;
  readonly isTimed: boolean;
}

export class WorldOutside implements Outside {
  readonly #world: OutsideWorld;
  /** Of jobs in event time: what has failed once. Failing twice it would be sent again when its time may be over. */
  readonly #failed = new Set<string>();
  readonly #polling = new Map<string, number>();
  #runs = 0;

  constructor(world: OutsideWorld) {
    this.#world = world;
  }

  async work(stage: string, { id }: Event<Datum>): Promise<number> {
    const { random, faults, network } = this.#world;
    const run = ++this.#runs;
    await network.wait(SOMEWHERE, faults.calm ? 10 : random.pick([0, 50, 800, 3_000]));
    if (!this.#failed.has(`${stage} ${id}`) && faults.strikes("stage failed once")) {
      if (this.#world.isTimed) this.#failed.add(`${stage} ${id}`);
      throw new NetworkError("the stage failed");
    }
    return run;
  }

  async poll(source: string): Promise<void> {
    const { random, network, faults } = this.#world;
    this.#polling.set(source, (this.#polling.get(source) ?? 0) + 1);
    await network.wait(SOMEWHERE, faults.calm ? 0 : random.pick([0, 300, 3_000]));
    this.#polling.set(source, (this.#polling.get(source) ?? 0) - 1);
    if (faults.strikes("poll failed")) throw new NetworkError("the poll failed");
  }

  /** Whether an answer of this source is on its way. */
  isPolling(source: string): boolean {
    return (this.#polling.get(source) ?? 0) > 0;
  }
}
