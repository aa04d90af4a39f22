/** Target: where sinks write to. It knows a batch by its id, and looks whether it is the same each time. */
import type { SinkBatch } from "../../../src/index.ts";
import { RejectedBatchError } from "../../../src/index.ts";
import type { Faults } from "./faults.ts";
import type { Writer } from "./functions.ts";
import type { Network, Process } from "./network.ts";
import { NetworkError } from "./network.ts";
import type { Datum } from "./semantics.ts";
import type { SinkSpec } from "./spec.ts";
import { Violation } from "./violation.ts";

export class Target {
  /** The batches that are written, by id. */
  readonly batches = new Map<string, { readonly sink: string; readonly events: readonly Datum[] }>();
  readonly #contents = new Map<string, string>();
  readonly #refused = new Set<string>();
  readonly #network: Network;
  readonly #faults: Faults;
  violation: Violation | undefined;

  constructor(network: Network, faults: Faults) {
    this.#network = network;
    this.#faults = faults;
  }

  /** What the sinks of one process write with. */
  writer(owner: Process): Writer {
    const losses = {
      lost: "write to a target lost",
      done: "write to a target done, said to have failed",
    } as const;
    return {
      write: async (sink, batch) => {
        const taken = await this.#network.call(owner, () => this.#write(sink, batch), losses);
        if (!taken) throw new RejectedBatchError("broken until mended");
      },
    };
  }

  /** @returns false when the target will never take the batch. */
  #write(sink: SinkSpec, { id, events }: SinkBatch<Datum>): boolean {
    const content = JSON.stringify(events);
    const known = this.#contents.get(id);
    if (known !== undefined && known !== content) {
      this.violation ??= new Violation(`batch ${id} was ${known}, and is now ${content}`);
      throw new NetworkError("the batch has changed");
    }
    const first = known === undefined;
    this.#contents.set(id, content);
    if (first && sink.refuses && this.#faults.strikes("batch refused")) this.#refused.add(id);
    if (this.#refused.has(id)) return false;
    this.batches.set(id, { sink: sink.name, events: events.map(({ data }) => data) });
    return true;
  }

  /** All that a sink has written. */
  written(sink: string): Datum[] {
    return [...this.batches.values()].filter((batch) => batch.sink === sink).flatMap(({ events }) => events);
  }
}
