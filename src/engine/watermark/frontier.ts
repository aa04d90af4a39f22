/**
 * Frontier: up to which arrival time everything that a source has accepted is committed.
 *
 * Queues deliver in any order, so what has been seen says nothing about what is missing. Hence ingest isolates open a
 * *hold* before they send (one for all that they send within about a second), and close it with the number of segments
 * that went under it; those that take segments off the queue report each when it is committed. A hold that is open, or
 * of which something is missing, keeps the frontier at its start. An isolate that dies leaves a hold open: its unknown tail
 * is waited for a fixed time, and gaps before what is known of it for a longer one, since they may be in the queue or
 * may never have been sent. Data never waits for any of this; windows may.
 *
 * Lateness is judged by arrival, and the frontier never passes the arrival of what is missing: a backlog, a retry or a
 * stall delays windows, and makes nothing late.
 */
import { HORIZON } from "../segment.ts";
import type { ClosedHold, CommittedSegment, OpenedHold } from "./protocol.ts";

/** As it is stored. JSON; fields are only ever appended. */
export interface FrontierState {
  readonly holds: Record<string, Hold>;
  /** The frontier never goes back. */
  published: number;
  /** Statements of the source, by arrival: they hold once everything up to then is committed. */
  said: [arrival: number, watermark: number][];
  /** The latest that holds. */
  stated: number;
}

interface Hold {
  /** Absent while only reports have come of it. */
  start?: number;
  until: number;
  /** Absent while it is open. */
  sent?: number;
  /** All below it are done. */
  done: number;
  /** Done, above that. */
  early: number[];
  /** Nobody knows whether the queue has taken these. */
  unsure?: readonly number[];
  /** Its isolate has died: what is missing may never have been sent. */
  orphaned?: true;
  /** Segments of which stages have a part, until all have reported. */
  stages?: Record<string, StageParts>;
  /** Complete: remembered for a while, since a report may come twice. */
  closed?: true;
}

interface StageParts {
  /** Absent until it is known which stages have a part: a stage may be faster than whoever handed it on. */
  named?: readonly string[];
  readonly reported: readonly string[];
}

export interface FrontierOptions {
  /** How long an isolate's word that it has opened a hold may be on its way, ms: the frontier stays that far behind the clock. */
  readonly handshake: number;
  /** How long what a dead isolate may have sent is waited for, ms. */
  readonly tail: number;
  /** Stages that were removed from the job: what they had a part of will not be reported by them any more. */
  readonly retired?: ReadonlySet<string>;
}

/** How long gaps in what a dead isolate has sent are waited for, ms: longer than a queue waits between two deliveries. */
const GAPS_MS = 1_800_000;
/** How long a complete hold is remembered, ms: what opened it may be said twice. What is reported later makes no hold that counts. */
const REMEMBERED_MS = 60_000;

export class Frontier {
  readonly state: FrontierState;
  readonly #options: FrontierOptions;

  constructor(options: FrontierOptions, state?: FrontierState) {
    this.#options = options;
    this.state = state ?? { holds: {}, published: -1, said: [], stated: -1 };
    for (const hold of Object.values(this.state.holds)) this.#forgetRetired(hold);
  }

  opened({ hold, start, until }: OpenedHold): void {
    const known = this.#hold(hold, until);
    if (known.closed === true) return;
    known.start = start;
    known.until = until;
    this.#complete(known);
  }

  closed({ hold, sent, lost, unsure }: ClosedHold, now: number): void {
    const known = this.#hold(hold, now);
    known.sent = sent;
    delete known.orphaned;
    if (unsure.length > 0) known.unsure = unsure;
    for (const n of lost) mark(known, n);
    this.#complete(known);
  }

  /** Idempotent. */
  committed({ hold, n, arrival, watermark, stages = [], stage }: CommittedSegment): void {
    const known = this.#hold(hold, arrival);
    if (watermark !== undefined) this.#say(arrival, watermark);
    if (known.closed === true || isDone(known, n)) return;
    if (!reportedByAll(known, n, this.#withoutRetired(stages), stage)) return;
    mark(known, n);
    this.#complete(known);
  }

  /** Moves the frontier as far as it can go. Epoch milliseconds. */
  at(now: number): number {
    let frontier = now - this.#options.handshake;
    for (const [id, hold] of Object.entries(this.state.holds)) {
      if (now > this.#deadlineOf(hold)) this.#giveUp(hold);
      if (hold.closed === true || hold.start === undefined) {
        if (now > hold.until + REMEMBERED_MS) delete this.state.holds[id];
      } else {
        frontier = Math.min(frontier, hold.start);
      }
    }
    this.state.published = Math.max(this.state.published, frontier);
    for (const [arrival, watermark] of this.state.said) {
      if (arrival < frontier) this.state.stated = Math.max(this.state.stated, watermark);
    }
    this.state.said = this.state.said.filter(([arrival]) => arrival >= frontier);
    return this.state.published;
  }

  /** The latest statement that holds; −1 before the first. Epoch milliseconds. */
  get stated(): number {
    return this.state.stated;
  }

  /** How many holds are open, or miss something that was sent under them. */
  get held(): number {
    return Object.values(this.state.holds).filter(
      ({ start, closed }) => start !== undefined && closed !== true,
    ).length;
  }

  /**
   * When something that is missing, and keeps the frontier at or before `arrival`, is given up, if nobody reports it:
   * epoch milliseconds; undefined when nothing of that kind is missing.
   */
  nextGivenUp(arrival: number): number | undefined {
    const open = Object.values(this.state.holds).filter(
      ({ start, closed }) => start !== undefined && start <= arrival && closed !== true,
    );
    return open.length === 0 ? undefined : Math.min(...open.map((hold) => this.#deadlineOf(hold)));
  }

  /**
   * The earliest that a statement of at least `watermark` can hold, if nobody reports anything: epoch milliseconds;
   * undefined when there is none that does not hold yet.
   */
  nextStated(watermark: number): number | undefined {
    const { handshake } = this.#options;
    const held = this.state.said
      .filter(([, said]) => said >= watermark)
      .map(([arrival]) => Math.max(arrival + handshake, this.nextGivenUp(arrival) ?? 0) + 1);
    return held.length === 0 ? undefined : Math.min(...held);
  }

  #deadlineOf({ closed, sent, until, unsure, orphaned }: Hold): number {
    if (closed === true) return Number.POSITIVE_INFINITY;
    if (sent === undefined || unsure !== undefined) return until + this.#options.tail;
    return until + (orphaned === true ? GAPS_MS : HORIZON);
  }

  #say(arrival: number, watermark: number): void {
    const known = this.state.said.some(([at, what]) => at === arrival && what === watermark);
    if (!known && watermark > this.state.stated) this.state.said.push([arrival, watermark]);
  }

  #hold(id: string, until: number): Hold {
    const { holds } = this.state;
    holds[id] ??= { until, done: 0, early: [] };
    return holds[id];
  }

  #withoutRetired(stages: readonly string[]): readonly string[] {
    return stages.filter((stage) => this.#options.retired?.has(stage) !== true);
  }

  /** A deploy may have retired a stage while it had a part of something. */
  #forgetRetired(hold: Hold): void {
    const { stages = {} } = hold;
    for (const [n, { named, reported }] of Object.entries(stages)) {
      if (named === undefined) continue;
      const left = this.#withoutRetired(named);
      stages[n] = { named: left, reported };
      if (!left.every((stage) => reported.includes(stage))) continue;
      delete stages[n];
      mark(hold, Number(n));
    }
    this.#complete(hold);
  }

  #complete(hold: Hold): void {
    if (hold.sent === undefined || hold.done < hold.sent) return;
    hold.closed = true;
    hold.early = [];
  }

  #giveUp(hold: Hold): void {
    if (hold.sent === undefined) {
      // What was numbered before something that came was probably sent as well.
      hold.sent = Math.max(hold.done, ...hold.early.map((n) => n + 1));
      hold.orphaned = true;
    } else if (hold.unsure !== undefined) {
      for (const n of hold.unsure) mark(hold, n);
      delete hold.unsure;
    } else {
      hold.done = hold.sent;
    }
    this.#complete(hold);
  }
}

/** Whether a segment is committed by all that have a part of it. */
function reportedByAll(hold: Hold, n: number, stages: readonly string[], stage: string | undefined): boolean {
  const before = hold.stages?.[n];
  if (before === undefined && stage === undefined && stages.length === 0) return true;
  const named = stage === undefined ? stages : before?.named;
  const reported = [...(before?.reported ?? []), ...(stage === undefined ? [] : [stage])];
  if (named?.every((one) => reported.includes(one)) === true) {
    if (hold.stages !== undefined) delete hold.stages[n];
    return true;
  }
  hold.stages = { ...hold.stages, [n]: { ...(named === undefined ? {} : { named }), reported } };
  return false;
}

function isDone({ done, early }: Hold, n: number): boolean {
  return n < done || early.includes(n);
}

function mark(hold: Hold, n: number): void {
  if (isDone(hold, n)) return;
  hold.early.push(n);
  while (hold.early.includes(hold.done)) {
    hold.early = hold.early.filter((other) => other !== hold.done);
    hold.done++;
  }
}
