/** SimulatedCoordinator: the coordinator of the job's watermarks, which dies at its writes and wakes from what it has stored. */
import type { VirtualClock } from "../../../src/clock.ts";
import type { AdvanceCall, AdvanceReply } from "../../../src/engine/shard/protocol.ts";
import type { CoordinatorState } from "../../../src/engine/watermark/coordinator.ts";
import { Coordinator } from "../../../src/engine/watermark/coordinator.ts";
import type { HoldReport, WatermarkStatus } from "../../../src/engine/watermark/protocol.ts";
import type { WatermarkClient } from "../../../src/engine/watermark/reports.ts";
import type { Plan } from "../../../src/index.ts";
import { Crash } from "../crashing-store.ts";
import type { Random } from "../random.ts";
import type { Faults } from "./faults.ts";
import type { Network, Process } from "./network.ts";
import type { JobSpec, Version } from "./spec.ts";

export interface CoordinatorWorld {
  readonly spec: JobSpec;
  readonly plans: Readonly<Record<Version, Plan>>;
  readonly random: Random;
  readonly clock: VirtualClock;
  readonly faults: Faults;
  readonly network: Network;
  /** How its calls do their work when they arrive. */
  readonly shards: { advance(call: AdvanceCall): AdvanceReply };
  readonly steady: boolean;
  readonly sabotage: string | undefined;
  version: Version;
  onError(error: unknown, about: string): void;
}

/** What an unknown tail is waited for, ms: longer than any queue in the simulation holds a message. */
export const TAIL_MS = 30 * 86_400_000;
export const HANDSHAKE_MS = 1_000;

const WANT = { lost: "want lost", done: "answer lost" } as const;
const COMMITTED = { lost: "commit report lost", done: "commit report done, said to have failed" } as const;
const ADVANCE = { lost: "advance lost", done: "advance done, said to have failed" } as const;

export class SimulatedCoordinator {
  readonly #world: CoordinatorWorld;
  #stored: string | undefined;
  #open: { readonly coordinator: Coordinator; readonly process: Process } | undefined;
  #running = false;
  /** Times that it has begun to make rounds. */
  rounds = 0;

  constructor(world: CoordinatorWorld) {
    this.#world = world;
  }

  /** The object is thrown away; what it has under way is lost. */
  evict(): void {
    if (this.#open === undefined) return;
    if (!this.#world.faults.calm) this.#world.faults.happened("coordinator evicted");
    this.#open.process.dead = true;
    this.#open = undefined;
    this.#running = false;
    this.#world.network.died();
  }

  /** What ingest isolates say. @throws Crash when it dies of it. */
  holds(report: HoldReport): void {
    this.#do((coordinator) => coordinator.holds(structuredClone(report)));
  }

  want(owner: Process, operator: string, shard: number, at: number): Promise<void> {
    const want = { v: 1, operator, shard, at };
    return this.#world.network.call(owner, () => this.#do((one) => one.want(want)), WANT);
  }

  /** How the executors of one process reach it. */
  client(owner: Process): WatermarkClient {
    const { network, sabotage, faults } = this.#world;
    return {
      committed: async (_job, report) => {
        const copy = structuredClone(report);
        const call = () =>
          network.call(
            owner,
            () => {
              this.#do((one) => one.committed(copy));
              if (faults.strikes("commit report duplicated")) this.#do((one) => one.committed(copy));
            },
            COMMITTED,
          );
        if (sabotage === "commit reports are not waited for") void call().catch(() => undefined);
        else await call();
      },
    };
  }

  nextDue(): number | undefined {
    return this.#running ? undefined : this.#coordinator.nextDue();
  }

  status(): WatermarkStatus {
    return this.#coordinator.status();
  }

  /** Its alarm: makes the rounds that are due. */
  alarm(): void {
    const { clock } = this.#world;
    if (this.#running || (this.#coordinator.nextDue() ?? Number.POSITIVE_INFINITY) > clock.now()) return;
    const { coordinator, process } = this.#open as { coordinator: Coordinator; process: Process };
    this.#running = true;
    this.rounds++;
    const end = () => {
      if (!process.dead) this.#running = false;
    };
    void coordinator.run().then(end, (error: unknown) => this.#failed(error, process));
  }

  #do<T>(work: (coordinator: Coordinator) => T): T {
    const coordinator = this.#coordinator;
    const process = this.#open?.process;
    try {
      return work(coordinator);
    } catch (error) {
      this.#failed(error, process);
      throw error;
    }
  }

  #failed(error: unknown, process: Process | undefined): void {
    if (!(error instanceof Crash)) this.#world.onError(error, "the coordinator");
    if (this.#open?.process === process) this.evict();
  }

  get #coordinator(): Coordinator {
    this.#open ??= this.#wake();
    return this.#open.coordinator;
  }

  #wake() {
    const { spec, plans, version, clock, network, shards, random } = this.#world;
    const process: Process = { dead: false };
    const coordinator = new Coordinator({
      plan: plans[version],
      job: spec.name,
      clock,
      handshake: HANDSHAKE_MS,
      tail: TAIL_MS,
      interval: random.pick([0, 200]),
      store: {
        load: () => (this.#stored === undefined ? undefined : (JSON.parse(this.#stored) as CoordinatorState)),
        save: (state) => this.#save(state, process),
      },
      advance: (call) => network.call(process, () => shards.advance(call), ADVANCE),
      onError: (error, about) => this.#world.onError(error, about),
    });
    return { coordinator, process };
  }

  #save(state: CoordinatorState, process: Process): void {
    const { faults, steady } = this.#world;
    // One that was replaced writes nothing any more.
    if (process.dead) throw new Crash("at a write");
    if (!steady && faults.strikes("coordinator died before it saved")) throw new Crash("at a write");
    this.#stored = JSON.stringify(state);
    if (!steady && faults.strikes("coordinator died after it saved")) throw new Crash("after a transaction");
  }
}
