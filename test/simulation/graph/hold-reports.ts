/**
 * HoldReports: what ingest isolates tell the coordinator of their holds, in the background: late, lost and sent again, twice.
 *
 * That a hold is open is known within the handshake, as ingest promises: the clock does not move past that before. When a
 * hold is closed may be known late, or never.
 */
import type { VirtualClock } from "../../../src/clock.ts";
import type { Reporter } from "../../../src/engine/watermark/holds.ts";
import type { HoldReport } from "../../../src/engine/watermark/protocol.ts";
import { Crash } from "../crashing-store.ts";
import type { Random } from "../random.ts";
import type { SimulatedCoordinator } from "./coordinator.ts";
import { HANDSHAKE_MS } from "./coordinator.ts";
import type { Faults } from "./faults.ts";
import type { Process } from "./network.ts";

export interface HoldReportsWorld {
  readonly random: Random;
  readonly clock: VirtualClock;
  readonly faults: Faults;
  readonly coordinator: SimulatedCoordinator;
}

interface Pending {
  readonly owner: Process;
  readonly report: HoldReport;
  /** Until when it must have arrived, epoch milliseconds. */
  readonly deadline: number;
}

export class HoldReports {
  readonly #world: HoldReportsWorld;
  readonly #pending: Pending[] = [];
  /** Holds of which something may stay missing for ever, as far as the coordinator can know; by source. */
  readonly #open = new Map<string, string>();

  constructor(world: HoldReportsWorld) {
    this.#world = world;
  }

  get size(): number {
    return this.#pending.length;
  }

  /** What the holds of a process report to. */
  of(owner: Process): Reporter {
    return (report) => {
      const [opened] = report.opened;
      for (const { hold, source } of report.opened) this.#open.set(hold, source);
      const deadline = opened === undefined ? Number.POSITIVE_INFINITY : opened.start + HANDSHAKE_MS;
      this.#pending.push({ owner, report, deadline });
    };
  }

  /** One of them arrives, if it does not get lost. */
  step(): void {
    if (this.#pending.length > 0) this.#arrive(this.#world.random.pick(this.#pending));
  }

  /** The clock is about to come to `time`. */
  before(time: number): void {
    for (const one of this.#pending.filter(({ deadline }) => deadline < time)) {
      while (this.#pending.includes(one)) this.#arrive(one);
    }
  }

  /** All arrive. */
  drain(): void {
    while (this.#pending.length > 0) this.step();
  }

  /** The process died: what it had to say of the end of its holds may never be heard. */
  died(owner: Process): void {
    for (const one of this.#pending.filter((pending) => pending.owner === owner)) {
      if (one.deadline < Number.POSITIVE_INFINITY || this.#world.random.chance(0.5)) continue;
      this.#world.faults.happened("hold never closed");
      this.#remove(one);
    }
  }

  /** Holds of a source that the coordinator may still wait for when everything has been done. */
  mayBeHeld(source: string): number {
    return [...this.#open.values()].filter((one) => one === source).length;
  }

  #arrive(one: Pending): void {
    const { faults, coordinator } = this.#world;
    if (faults.strikes("hold report lost")) return;
    try {
      coordinator.holds(one.report);
      if (faults.strikes("hold report duplicated")) coordinator.holds(one.report);
    } catch (error) {
      if (error instanceof Crash) return;
      throw error;
    }
    this.#remove(one);
    for (const { hold, unsure } of one.report.closed) if (unsure.length === 0) this.#open.delete(hold);
  }

  #remove(one: Pending): void {
    this.#pending.splice(this.#pending.indexOf(one), 1);
  }
}
