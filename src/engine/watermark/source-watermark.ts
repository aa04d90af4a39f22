/** SourceWatermark: the watermark of one source over HTTP: from its frontier, its replays, or what it states. */
import type { SourceEventTime } from "../../plan.ts";
import type { FrontierOptions, FrontierState } from "./frontier.ts";
import { Frontier } from "./frontier.ts";
import type { Admission, Admitted, CommittedSegment, SourceStatus } from "./protocol.ts";
import type { ReplayState } from "./replay.ts";
import { admit, commit, isRunning, newReplay, REPLAY_IDLE_MS } from "./replay.ts";

/** As it is stored. JSON; fields are only ever appended. */
export interface SourceState {
  readonly frontier: FrontierState;
  readonly replays: Record<string, ReplayState>;
  /** The latest that shards were told. */
  told: number;
}

/** How long a replay that has ended knows its own requests when they come again, ms. */
const REMEMBERED_MS = 86_400_000;

export class SourceWatermark {
  readonly frontier: Frontier;
  readonly #replays: Record<string, ReplayState>;
  readonly #time: SourceEventTime;
  #told: number;

  constructor(time: SourceEventTime, options: FrontierOptions, state?: SourceState) {
    this.#time = time;
    this.frontier = new Frontier(options, state?.frontier);
    this.#replays = state?.replays ?? {};
    this.#told = state?.told ?? -1;
  }

  get state(): SourceState {
    return { frontier: this.frontier.state, replays: this.#replays, told: this.#told };
  }

  /** Lets a request of a replay in. */
  admit(admission: Admission, now: number): Admitted {
    const { producer, sequence, earliest } = admission;
    if (this.#time.watermarks !== "arrival")
      return { refused: "its watermark is stated by the source; send the log without Millrace-Replay" };
    const known = this.#replays[producer];
    if (known === undefined && sequence > 0) return { wait: 0 };
    if (known === undefined && earliest <= this.#told) {
      return {
        refused: `event time has come to ${new Date(this.#told).toISOString()} here, and the replay starts at ${new Date(earliest).toISOString()}: all of it would be late; replay into a deployment, or a local state folder, that has not seen later events`,
      };
    }
    const replay = known ?? newReplay(now);
    this.#replays[producer] = replay;
    return admit(replay, admission, now);
  }

  committed(segment: CommittedSegment): void {
    const replay = this.#replays[segment.hold];
    if (replay !== undefined) commit(replay, segment.n);
    else this.frontier.committed(segment);
  }

  /** Epoch milliseconds; −1 before anything is known. */
  at(now: number): number {
    const frontier = this.frontier.at(now);
    const { watermarks, outOfOrderness } = this.#time;
    if (watermarks === "explicit") return this.frontier.stated;
    const reached = this.#running(now).map((replay) => replay.reached);
    this.#forgetReplays(now);
    return Math.max(-1, Math.min(frontier, ...reached) - outOfOrderness - 1);
  }

  /**
   * The earliest that the watermark can be `time` if nobody reports anything, epoch milliseconds; undefined when it
   * never can.
   */
  reaches(time: number, now: number, handshake: number): number | undefined {
    if (this.#time.watermarks === "explicit") return this.frontier.nextStated(time);
    // The latest arrival at which what is missing holds it back.
    const last = time + this.#time.outOfOrderness;
    return Math.max(
      last + 1 + handshake,
      (this.frontier.nextGivenUp(last) ?? 0) + 1,
      ...this.#running(now).map(({ seen }) => seen + REPLAY_IDLE_MS),
    );
  }

  /** When what the source has stated can be its watermark; undefined when nothing is to come. See `reaches`. */
  get nextStated(): number | undefined {
    return this.#time.watermarks === "explicit"
      ? this.frontier.nextStated(this.frontier.stated + 1)
      : undefined;
  }

  /** The source states it; for runs in which nothing is under way. */
  stateTo(watermark: number): void {
    this.frontier.state.stated = Math.max(this.frontier.state.stated, watermark);
  }

  #running(now: number): ReplayState[] {
    return Object.values(this.#replays).filter((replay) => isRunning(replay, now));
  }

  #forgetReplays(now: number): void {
    for (const [producer, replay] of Object.entries(this.#replays)) {
      if (!isRunning(replay, now) && now - replay.seen > REMEMBERED_MS) delete this.#replays[producer];
    }
  }

  /** Shards have been told this watermark: what starts before it is late. */
  tell(watermark: number): void {
    this.#told = Math.max(this.#told, watermark);
  }

  status(now: number): SourceStatus {
    return {
      watermark: this.at(now),
      frontier: this.frontier.at(now),
      holds: this.frontier.held,
      replays: this.#running(now).length,
    };
  }
}
