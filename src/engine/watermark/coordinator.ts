/**
 * Coordinator: the watermarks of one job, from its sources through its operators, and who is told of them when.
 *
 * Watermarks are pulled along by whoever waits: a shard with a timer in event time says when it is due, and the
 * coordinator makes a *round* once the sources may have come that far. A round goes through the job from its sources on:
 * each operator that keeps a watermark is told the minimum of what its inputs have reached, fires what is due, and answers
 * with what everything it will ever emit lies behind: never further than the earliest event time of an output that its
 * destination has not committed. While nobody waits nothing is asked, so an idle job costs nothing.
 */
import type { Clock } from "../../clock.ts";
import { StateError } from "../../errors.ts";
import type { OperatorPlan, Plan } from "../../plan.ts";
import type { AdvanceCall, AdvanceReply } from "../shard/protocol.ts";
import { SHARD_CALL_VERSION } from "../shard/protocol.ts";
import type {
  Admission,
  Admitted,
  CommitReport,
  HoldReport,
  OperatorStatus,
  SourceStatus,
  Want,
  WatermarkStatus,
} from "./protocol.ts";
import { WATERMARK_VERSION } from "./protocol.ts";
import type { SourceState } from "./source-watermark.ts";
import { SourceWatermark } from "./source-watermark.ts";

/** As it is stored. JSON; fields are only ever appended. */
export interface CoordinatorState {
  readonly format: 1;
  readonly sources: Readonly<Record<string, SourceState>>;
  /** By operator and shard (`windows/3`), its first timer in event time. */
  readonly wants: Readonly<Record<string, number>>;
  /** By operator, what had come to it as of the last round. */
  readonly reached?: Readonly<Record<string, number>>;
}

export interface CoordinatorStore {
  load(): CoordinatorState | undefined;
  /** Durable before anything that is said next. */
  save(state: CoordinatorState): void;
}

export interface CoordinatorOptions {
  readonly plan: Plan;
  readonly job: string;
  readonly clock: Clock;
  readonly store: CoordinatorStore;
  /** Tells a shard. */
  readonly advance: (call: AdvanceCall) => Promise<AdvanceReply>;
  /** See FrontierOptions. */
  readonly handshake?: number;
  readonly tail?: number;
  /** The least time between two rounds, ms. */
  readonly interval?: number;
  readonly onError?: (error: unknown, about: string) => void;
}

const HANDSHAKE_MS = 1_000;
const TAIL_MS = 30_000;
const INTERVAL_MS = 200;
/** Rounds in a row that bring nothing, before it waits for longer. */
const PROMPT_ROUNDS = 3;
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 5_000;

export class Coordinator {
  readonly #options: Required<Omit<CoordinatorOptions, "onError">> & CoordinatorOptions;
  readonly #operators: readonly OperatorPlan[];
  readonly #sources = new Map<string, SourceWatermark>();
  readonly #wants = new Map<string, number>();
  /** What came to each operator, as of the last round. */
  readonly #reached = new Map<string, number>();
  /** Shards that have said what they want since they were last told something. */
  readonly #spoken = new Set<string>();
  /** What stages upstream have queued for a stage's shard, by producer. */
  readonly #queued = new Map<string, Record<string, number>>();
  #lastRound = 0;
  /** Some shard could not be told. */
  #failed = false;
  /** Rounds in a row that brought nothing: something downstream takes its time. */
  #idleRounds = 0;
  #running: Promise<void> | undefined;

  /** @throws StateError when the stored state is of a format that this code does not know. */
  constructor(options: CoordinatorOptions) {
    this.#options = {
      handshake: HANDSHAKE_MS,
      tail: TAIL_MS,
      interval: INTERVAL_MS,
      ...options,
    };
    const { plan, job, store } = options;
    const { handshake, tail } = this.#options;
    const state = store.load();
    if (state !== undefined && state.format !== 1)
      throw new StateError(`watermarks of format ${String(state.format)}; this code knows 1`);
    // In the order of the graph: inputs come before their readers.
    this.#operators = [...plan.operators.values()].filter(
      (operator) => operator.job === job && operator.eventTime.watermarked,
    );
    for (const source of plan.sources.values()) {
      if (source.job !== job) continue;
      this.#sources.set(
        source.name,
        new SourceWatermark(
          source.eventTime,
          { handshake, tail, retired: plan.retired },
          state?.sources[source.name],
        ),
      );
    }
    for (const [place, at] of Object.entries(state?.wants ?? {})) this.#wants.set(place, at);
    for (const [name, at] of Object.entries(state?.reached ?? {})) this.#reached.set(name, at);
  }

  /** Ingest isolates open and close holds. */
  holds({ v, opened, closed }: HoldReport): void {
    mustKnow(v);
    for (const hold of opened) this.#sources.get(hold.source)?.frontier.opened(hold);
    for (const hold of closed) this.#sources.get(hold.source)?.frontier.closed(hold, this.#now);
    this.#save();
  }

  /** Segments are committed. Idempotent. */
  committed({ v, segments }: CommitReport): void {
    mustKnow(v);
    for (const segment of segments) this.#sources.get(segment.source)?.committed(segment);
    this.#idleRounds = 0;
    this.#save();
  }

  /** A request of a replay asks to be let in. */
  admit(admission: Admission): Admitted {
    mustKnow(admission.v);
    const source = this.#sources.get(admission.source);
    if (source === undefined) return { refused: `there is no source "${admission.source}"` };
    const admitted = source.admit(admission, this.#now);
    if ("front" in admitted) this.#save();
    return admitted;
  }

  /** A shard has a timer in event time that is earlier than what it said before. */
  want({ v, operator, shard, at }: Want): void {
    mustKnow(v);
    const place = `${operator}/${shard}`;
    this.#setWant(place, at);
    this.#spoken.add(place);
    this.#idleRounds = 0;
    this.#save();
  }

  /** The source's watermark is this, since a test says so. Where it is stated by requests, see SourceCollector. */
  state(source: string, watermark: number): void {
    this.#sources.get(source)?.stateTo(watermark);
    this.#idleRounds = 0;
    this.#save();
  }

  /** When there may be something to do, epoch milliseconds; undefined while nobody waits. */
  nextDue(): number | undefined {
    const now = this.#now;
    const earliest = this.#lastRound + this.#wait;
    if (this.#failed || this.#mustTellAll()) return earliest;
    const due = [
      ...[...this.#wants].map(([place, at]) => this.#mayReach(place, at, now)),
      // What is stated says what is late, whoever waits.
      ...[...this.#sources.values()].map((source) => source.nextStated),
    ].filter((at) => at !== undefined);
    return due.length === 0 ? undefined : Math.max(Math.min(...due), earliest);
  }

  /** Until the next round, ms: longer when somebody downstream takes his time. */
  get #wait(): number {
    const { interval } = this.#options;
    const patient = this.#idleRounds - PROMPT_ROUNDS;
    return patient < 0
      ? interval
      : Math.max(interval, Math.min(FIRST_WAIT_MS * 2 ** patient, LONGEST_WAIT_MS));
  }

  /** Makes rounds while they bring something. One at a time. */
  async run(): Promise<void> {
    this.#running ??= this.#rounds().finally(() => {
      this.#running = undefined;
    });
    await this.#running;
  }

  status(): WatermarkStatus {
    const sources: Record<string, SourceStatus> = {};
    for (const [name, source] of this.#sources) sources[name] = source.status(this.#now);
    const operators: Record<string, OperatorStatus> = {};
    for (const { name, shards } of this.#operators) {
      const wanted = Array.from({ length: shards }, (_, shard) => this.#wants.get(`${name}/${shard}`));
      const first = Math.min(...wanted.map((at) => at ?? Number.POSITIVE_INFINITY));
      operators[name] = {
        watermark: this.#reached.get(name) ?? -1,
        ...(Number.isFinite(first) ? { wanted: first } : {}),
      };
    }
    return { sources, operators };
  }

  async #rounds(): Promise<void> {
    for (;;) {
      this.#failed = false;
      const progressed = await this.#round();
      this.#lastRound = this.#now;
      this.#idleRounds = progressed ? 0 : this.#idleRounds + 1;
      this.#save();
      if ((this.nextDue() ?? Number.POSITIVE_INFINITY) > this.#now) return;
    }
  }

  /**
   * @returns whether any shard has fired what it waited for. That a watermark moves says nothing: with the clock it always
   * does, while somebody waits for a source that is asked and has nothing more.
   */
  async #round(): Promise<boolean> {
    const outputs = new Map<string, number>();
    let progressed = false;
    for (const operator of this.#operators) {
      // Asked anew for each operator: while others were told, a replay may have begun.
      const inputs = operator.sources.map(
        (name) => this.#sources.get(name)?.at(this.#now) ?? outputs.get(name) ?? -1,
      );
      const input = operator.kind === "pull" ? this.#now : Math.min(...inputs);
      const { output, moved } = await this.#tell(operator, input);
      outputs.set(operator.name, output);
      progressed ||= moved;
    }
    return progressed;
  }

  /** Tells an operator's shards, and finds out how far what they emit has come. */
  async #tell(operator: OperatorPlan, watermark: number): Promise<{ output: number; moved: boolean }> {
    if (watermark < 0) return { output: -1, moved: false };
    const { name, shards } = operator;
    const everyone = !this.#isTargeted(operator);
    const places = Array.from({ length: shards }, (_, shard) => shard).filter(
      (shard) => everyone || (this.#wants.get(`${name}/${shard}`) ?? Number.POSITIVE_INFINITY) <= watermark,
    );
    if (places.length === 0) return { output: -1, moved: false };
    this.#reached.set(name, Math.max(this.#reached.get(name) ?? -1, watermark));
    // What is told is stored first: a replay that starts meanwhile must know.
    for (const source of operator.sources) this.#sources.get(source)?.tell(watermark);
    this.#save();
    const answers = await Promise.all(places.map((shard) => this.#advance(operator, shard, watermark)));
    return {
      output: everyone ? Math.min(...answers.map((answer) => answer.output)) : -1,
      moved: answers.some(({ moved }) => moved),
    };
  }

  async #advance(operator: OperatorPlan, shard: number, watermark: number) {
    const { plan, advance, onError } = this.#options;
    const { name, shards } = operator;
    const place = `${name}/${shard}`;
    const required = this.#queued.get(place);
    this.#spoken.delete(place);
    try {
      const reply = await advance({
        v: SHARD_CALL_VERSION,
        generation: plan.generation,
        operator: name,
        shard,
        shards,
        watermark,
        ...(required === undefined ? {} : { required }),
      });
      for (const [destination, queued] of Object.entries(reply.queued ?? {})) {
        this.#queued.set(destination, { ...this.#queued.get(destination), ...queued });
      }
      const wantedBefore = this.#wants.get(place);
      // What the shard has said meanwhile may be newer than this answer: at worst it is asked once too often.
      if (!this.#spoken.has(place)) this.#wants.delete(place);
      if (reply.wanted !== undefined) this.#setWant(place, reply.wanted);
      return { output: reply.watermark, moved: reply.wanted !== wantedBefore };
    } catch (error) {
      this.#failed = true;
      onError?.(error, `watermark of ${place}`);
      return { output: -1, moved: false };
    }
  }

  /**
   * Whether only the shards that wait have to be told: where lateness is judged at the door, and nobody downstream needs
   * to know how far the others have come.
   */
  #isTargeted({ name, kind, eventTime }: OperatorPlan): boolean {
    if (kind === "pull" || eventTime.doors === undefined) return false;
    return !this.#operators.some(({ sources }) => sources.includes(name));
  }

  /** A stated watermark says what is late, also to shards that wait for nothing. */
  #mustTellAll(): boolean {
    const now = this.#now;
    return this.#operators.some((operator) => {
      const inputs = operator.sources.map((name) => this.#sources.get(name));
      if (inputs.some((source) => source === undefined) || operator.eventTime.doors !== undefined)
        return false;
      const watermark = Math.min(...inputs.map((source) => source?.at(now) ?? -1));
      return watermark > (this.#reached.get(operator.name) ?? -1);
    });
  }

  /** The earliest that an operator's watermark can be `at`; undefined when something has to be reported first. */
  #mayReach(place: string, at: number, now: number): number | undefined {
    const { handshake } = this.#options;
    const roots = this.#rootsOf(place.slice(0, place.lastIndexOf("/")));
    let latest = now;
    for (const source of roots) {
      if (source.at(now) >= at) continue;
      const reached = source.reaches(at, now, handshake);
      if (reached === undefined) return undefined;
      latest = Math.max(latest, reached);
    }
    return latest;
  }

  /** The sources over HTTP that an operator's watermark comes from. */
  #rootsOf(name: string, seen = new Set<string>()): SourceWatermark[] {
    const operator = this.#operators.find((one) => one.name === name);
    if (operator === undefined || seen.has(name)) return [];
    seen.add(name);
    return operator.sources.flatMap((input) => {
      const source = this.#sources.get(input);
      return source === undefined ? this.#rootsOf(input, seen) : [source];
    });
  }

  #setWant(place: string, at: number): void {
    const known = this.#wants.get(place);
    if (known === undefined || at < known) this.#wants.set(place, at);
  }

  get #now(): number {
    return this.#options.clock.now();
  }

  #save(): void {
    const sources: Record<string, SourceState> = {};
    for (const [name, source] of this.#sources) sources[name] = source.state;
    this.#options.store.save({
      format: 1,
      sources,
      wants: Object.fromEntries(this.#wants),
      reached: Object.fromEntries(this.#reached),
    });
  }
}

function mustKnow(v: number): void {
  if (v !== WATERMARK_VERSION)
    throw new StateError(
      `a report of version ${v}; this code knows ${WATERMARK_VERSION}; it will be sent again until the deployments agree`,
    );
}
