/** MemoryWatermarks: the coordinators of a plan's jobs in memory. */
import type { Clock } from "../clock.ts";
import type { Plan } from "../plan.ts";
import type { AdvanceCall, AdvanceReply } from "./shard/protocol.ts";
import type { CoordinatorOptions, CoordinatorState } from "./watermark/coordinator.ts";
import { Coordinator } from "./watermark/coordinator.ts";
import type { CommitReport, WatermarkStatus } from "./watermark/protocol.ts";
import { WATERMARK_VERSION } from "./watermark/protocol.ts";
import type { WatermarkClient } from "./watermark/reports.ts";

export interface MemoryWatermarksOptions {
  readonly clock: Clock;
  readonly advance: (call: AdvanceCall) => Promise<AdvanceReply>;
  readonly onError?: (error: unknown, about: string) => void;
  /** Within one process a report is never on its way: by default the frontier is right behind the clock. */
  readonly timing?: Pick<CoordinatorOptions, "handshake" | "tail" | "interval">;
}

export class MemoryWatermarks implements WatermarkClient {
  readonly #plan: Plan;
  readonly #options: MemoryWatermarksOptions;
  readonly #stored = new Map<string, string>();
  readonly #states = new Map<string, CoordinatorState>();
  #coordinators = new Map<string, Coordinator>();

  constructor(plan: Plan, options: MemoryWatermarksOptions) {
    this.#plan = plan;
    this.#options = options;
    this.#wake();
  }

  /** The coordinator of a job; undefined when nothing in it goes by event time. */
  of(job: string): Coordinator | undefined {
    return this.#coordinators.get(job);
  }

  /** The coordinator of a source's job. */
  ofSource(source: string): Coordinator | undefined {
    const plan = this.#plan.sources.get(source);
    return plan === undefined ? undefined : this.of(plan.job);
  }

  async committed(job: string, report: CommitReport): Promise<void> {
    this.of(job)?.committed(report);
  }

  async want(job: string, operator: string, shard: number, at: number): Promise<void> {
    this.of(job)?.want({ v: WATERMARK_VERSION, operator, shard, at });
  }

  /** When there is something to do, epoch milliseconds; undefined while nobody waits. */
  nextDue(): number | undefined {
    const due = [...this.#coordinators.values()].map((one) => one.nextDue()).filter((at) => at !== undefined);
    return due.length === 0 ? undefined : Math.min(...due);
  }

  /** Makes the rounds that are due. @returns whether there were any. */
  async run(): Promise<boolean> {
    const now = this.#options.clock.now();
    const due = [...this.#coordinators.values()].filter(
      (one) => (one.nextDue() ?? Number.POSITIVE_INFINITY) <= now,
    );
    await Promise.all(due.map((one) => one.run()));
    return due.length > 0;
  }

  status(job: string): WatermarkStatus | undefined {
    return this.of(job)?.status();
  }

  /** All coordinators wake anew from what they have stored. */
  restart(): void {
    for (const [job, state] of this.#states) this.#stored.set(job, JSON.stringify(state));
    this.#coordinators = new Map();
    this.#wake();
  }

  #wake(): void {
    const timed = [...this.#plan.operators.values()].filter(({ eventTime }) => eventTime.watermarked);
    const { clock, advance, onError, timing } = this.#options;
    for (const job of new Set(timed.map((operator) => operator.job))) {
      const stored = this.#stored.get(job);
      const store = {
        load: () => (stored === undefined ? undefined : (JSON.parse(stored) as CoordinatorState)),
        save: (state: CoordinatorState) => void this.#states.set(job, state),
      };
      this.#coordinators.set(
        job,
        new Coordinator({
          ...{ plan: this.#plan, job, clock, store, advance },
          ...{ handshake: 0, interval: 0 },
          ...timing,
          ...(onError === undefined ? {} : { onError }),
        }),
      );
    }
  }
}
