/**
 * GraphWorld: the real engine running any job graph among everything that can go wrong, driven by one seed.
 *
 * Isolates and clients send; queues lose acknowledgements, repeat, remix and deliver late; operator isolates die in the
 * middle of batches and stages; shards crash at any write, are evicted, deployed and unreachable; targets and polls fail.
 * Then the faults stop, what can be mended is mended, everything settles, and the job is compared with a plain recount.
 */
import { VirtualClock } from "../../../src/clock.ts";
import type { BuriedMessage } from "../../../src/engine/operator-executor.ts";
import type { ShardLimits } from "../../../src/engine/shard/shard.ts";
import type { Plan } from "../../../src/index.ts";
import { queuesOf } from "../../../src/plan.ts";
import type { Random } from "../random.ts";
import { planOf } from "./build.ts";
import { SimulatedCoordinator } from "./coordinator.ts";
import { Faults } from "./faults.ts";
import { HoldReports } from "./hold-reports.ts";
import { Ingest } from "./ingest.ts";
import { Ledger } from "./ledger.ts";
import { Network } from "./network.ts";
import { isExpected, OperatorIsolate } from "./operators.ts";
import { WorldOutside } from "./outside.ts";
import { SimulatedQueue } from "./queue.ts";
import { Redrives } from "./redrives.ts";
import { WIDE } from "./semantics.ts";
import type { SimulatedShard } from "./shards.ts";
import { SimulatedShards } from "./shards.ts";
import type { JobSpec, Version } from "./spec.ts";
import { isInEventTime, VERSIONS } from "./spec.ts";
import { Target } from "./target.ts";
import { Violation } from "./violation.ts";

/** Breaks the machinery around the engine on purpose, to show that the simulation notices. */
export type GraphSabotage =
  | "acknowledge before commit"
  | "confirm before commit"
  | "claims always true"
  | "commit reports are not waited for";

export interface GraphOptions {
  readonly steps?: number;
  readonly sabotage?: GraphSabotage | undefined;
  /**
   * No process dies and nothing is deployed, so nobody forgets what a shard has still to be told of: then every prefix
   * must close. Calls, answers, sends and acknowledgements are lost all the same.
   */
  readonly steady?: boolean;
}

const START = 1_750_000_000_000;
const MINUTE = 60_000;
const DAY = 86_400_000;
/** Days that may pass while messages wait; the engine promises a fortnight. */
const MOST_DAYS = 8;

export class GraphWorld {
  readonly spec: JobSpec;
  readonly clock = new VirtualClock(START);
  readonly random: Random;
  readonly faults: Faults;
  readonly network: Network;
  readonly plans: Readonly<Record<Version, Plan>>;
  readonly queues: ReadonlyMap<string, SimulatedQueue>;
  readonly limits: Partial<ShardLimits>;
  readonly claims = new Map<string, string>();
  readonly buried: BuriedMessage[] = [];
  readonly sabotage: GraphSabotage | undefined;
  readonly shards: SimulatedShards;
  readonly coordinator: SimulatedCoordinator;
  readonly holdReports: HoldReports;
  readonly target: Target;
  readonly ingest: Ingest;
  readonly redrives: Redrives;
  /** See GraphOptions. */
  readonly steady: boolean;
  /** Something in it goes by event time. */
  readonly isTimed: boolean;
  version: Version = "old";
  readonly ledger: Ledger;
  readonly #outside: WorldOutside;
  operators: OperatorIsolate[];
  #unexpected: unknown;

  constructor(spec: JobSpec, random: Random, options: GraphOptions = {}) {
    this.spec = spec;
    this.random = random;
    this.sabotage = options.sabotage;
    this.steady = options.steady === true;
    if (this.steady) this.version = "mended";
    this.isTimed = spec.nodes.some(isInEventTime);
    this.faults = new Faults(random);
    this.network = new Network(random, this.clock, this.faults);
    this.#outside = new WorldOutside(this);
    this.plans = {
      old: planOf(spec, "old", this.#outside),
      new: planOf(spec, "new", this.#outside),
      mended: planOf(spec, "mended", this.#outside),
    };
    const owners = Object.values(this.plans).flatMap(queuesOf);
    this.queues = new Map(owners.map(({ queue: { queue } }) => [queue, new SimulatedQueue(queue, this)]));
    this.limits = {
      checkpointCommits: random.int(1, 6),
      checkpointStepPages: random.int(1, 3),
      logRows: random.int(3, 9),
      ...(random.chance(0.4) ? { outboxBytes: random.int(300, 2_000) } : {}),
    };
    this.target = new Target(this.network, this.faults);
    this.shards = new SimulatedShards(this);
    this.coordinator = new SimulatedCoordinator(this);
    this.holdReports = new HoldReports(this);
    const isWide = spec.nodes.some((node) => "groups" in node && node.groups >= WIDE);
    this.ingest = new Ingest(this, isWide);
    this.redrives = new Redrives(this);
    this.ledger = new Ledger(this);
    this.operators = [new OperatorIsolate(this, this.version), new OperatorIsolate(this, this.version)];
  }

  env(owner: { dead: boolean }): Readonly<Record<string, unknown>> {
    return { writer: this.target.writer(owner) };
  }

  onError(error: unknown, about: string): void {
    if (!isExpected(error)) this.#unexpected ??= new Error(about, { cause: error });
  }

  /** Does one thing that may happen, whatever it is. */
  act(): void {
    const { random } = this;
    const action = random.int(0, 999);
    if (action < 90) this.ingest.act();
    else if (action < 240) this.#deliver();
    else if (action < 275) this.#watermarks();
    else if (action < 720) for (let n = random.int(1, 4); n > 0; n--) this.network.step();
    else if (action < 800)
      for (let n = random.int(1, 4); n > 0; n--) this.shards.alarm(random.pick(this.#all));
    else if (action < 830) random.pick([...this.queues.values()]).remix();
    else if (action < 890) this.advance(random.pick([300, 1_500, 4_000, 30_000]));
    else if (action < 900) this.#late();
    else if (action < 925) this.#redrive();
    else if (action < 940) this.ingest.replaceIsolate();
    else if (this.steady) return;
    else if (action < 965) this.#evict();
    else if (action < 985) this.#operatorDies();
    else if (action < 992) {
      this.faults.happened("coordinator evicted");
      this.coordinator.evict();
    } else this.#deploy();
  }

  /** Something of what watermarks are made of. */
  #watermarks(): void {
    const { ingest, holdReports, coordinator } = this;
    const all = [
      () => ingest.closeHolds(),
      () => holdReports.step(),
      () => ingest.sendSlow(),
      () => coordinator.alarm(),
    ];
    for (const one of this.random.shuffle(all)) one();
  }

  /** Moves the clock on. */
  advance(ms: number): void {
    this.holdReports.before(this.clock.now() + ms);
    this.clock.advance(ms);
  }

  get #all(): SimulatedShard[] {
    return [...this.shards.all.values()];
  }

  #deliver(): void {
    const { random } = this;
    const waiting = [...this.queues.values()].filter(({ messages }) => messages.length > 0);
    if (waiting.length === 0) return;
    random.pick(this.operators).consume(random.pick(waiting), random.int(1, 5));
  }

  /** Whatever is under way at the moment stays so for hours or days. */
  #late(): void {
    const { random, clock } = this;
    if (clock.now() - START > MOST_DAYS * DAY) return;
    if (this.faults.strikes("delivery: days late")) this.advance(random.int(DAY, 2 * DAY));
    else this.advance(random.int(MINUTE, 60 * MINUTE));
  }

  #evict(): void {
    const awake = this.#all.filter(({ isAwake }) => isAwake);
    if (awake.length === 0) return;
    const polling = awake.filter(({ operator }) => this.#outside.isPolling(operator));
    const shard = this.random.pick(polling.length > 0 && this.random.chance(0.5) ? polling : awake);
    this.faults.happened("shard evicted");
    if (this.#outside.isPolling(shard.operator)) this.faults.happened("pull source died before its commit");
    shard.evict();
  }

  #operatorDies(): void {
    const busy = this.operators.filter((one) => one.busy);
    const isolate = this.random.pick(busy.length > 0 && this.random.chance(0.5) ? busy : this.operators);
    const at = this.operators.indexOf(isolate);
    this.faults.happened("operator isolate died");
    if (isolate.busy) {
      this.faults.happened("operator isolate died in a batch");
      if (this.#isHalfCommitted()) this.faults.happened("stage died half committed");
    }
    isolate.die();
    this.operators[at] = new OperatorIsolate(this, this.version);
  }

  /** Whether some segment of a stage is committed in part. */
  #isHalfCommitted(): boolean {
    return [...this.shards.all.values()].some((shard) => {
      const stored = shard.stored();
      return stored.options.operator.kind === "stage" && !stored.state.entries().next().done;
    });
  }

  /** The version that starts from now on; what runs keeps its own until it dies. */
  #deploy(): void {
    this.version = this.random.pick(VERSIONS.filter((version) => version !== this.version));
    this.faults.happened("deploy");
  }

  #redrive(): void {
    const candidates = this.redrives.candidates();
    if (candidates.length > 0) this.redrives.start(this.random.pick(candidates));
  }

  /** Lets everything that can go on without the scheduler go on. */
  async tick(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    if (this.target.violation !== undefined) throw this.target.violation;
    if (this.#unexpected !== undefined)
      throw new Violation(`an unexpected error: ${describe(this.#unexpected)}`, { cause: this.#unexpected });
    const [buried] = this.buried;
    if (buried !== undefined) throw new Violation(`message ${buried.id} was buried: ${buried.reason}`);
  }
}

function describe(error: unknown): string {
  const { message, cause } = error as Error;
  return cause === undefined ? message : `${message}: ${(cause as Error).stack ?? String(cause)}`;
}
