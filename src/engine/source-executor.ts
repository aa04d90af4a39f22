/** SourceExecutor: runs a source and the stateless steps behind it, in front of the queue. */
import { InvalidEventError, OperatorFailedError } from "../errors.ts";
import type { Event } from "../event.ts";
import type { Plan, SourcePlan, Target } from "../plan.ts";
import type { QueueLimits } from "./event-queue.ts";
import { passThrough } from "./source/chain.ts";
import { Combiner } from "./source/combiner.ts";
import type { Identity, Packed } from "./source/packer.ts";
import { pack } from "./source/packer.ts";
import type { Passage } from "./source/passage.ts";
import { Trail } from "./source/passage.ts";
import type { Arrivals, Rejection } from "./source/reader.ts";
import { EventReader, rejectionOf } from "./source/reader.ts";

/** What a request came to: how much of it was accepted, and why the rest was not. Nothing is durable yet. */
export interface Reading {
  readonly accepted: number;
  readonly rejected: readonly Rejection[];
  /** True when all that was rejected was over a limit, rather than malformed. */
  readonly onlyTooLarge: boolean;
  readonly combined: Combiner;
  /** Event times of what was accepted, epoch milliseconds; −1 when nothing was. */
  readonly earliest: number;
  readonly latest: number;
  /** What the source stated; see SourceCollector. */
  readonly watermark: number | undefined;
}

export class SourceExecutor {
  readonly plan: Plan;
  readonly source: SourcePlan;
  readonly fingerprint: string;

  /**
   * @param fingerprint of the code that routes: the plan's, and what else tells one deployment from another.
   */
  constructor(plan: Plan, source: SourcePlan, fingerprint: string = plan.fingerprint) {
    this.plan = plan;
    this.source = source;
    this.fingerprint = fingerprint;
  }

  /**
   * Reads events, runs them through the steps and combines them. A record that is not valid is rejected with its
   * reason; its neighbours proceed. Depends on nothing but its arguments, so a retry comes to the same.
   *
   * @param idBase prefix of generated event ids.
   * @param arrival epoch milliseconds.
   */
  read({ values, places }: Arrivals, idBase: string, arrival: number): Reading {
    const { source } = this;
    const { steps } = source;
    const combined = new Combiner(source.targets);
    const reader = new EventReader(source.source, idBase, arrival);
    const rejected: Rejection[] = [];
    /** Of the events of one record, used again for those of the next. */
    const trails: Trail[] = [];
    let onlyTooLarge = true;
    let earliest = -1;
    let latest = -1;
    let watermark: number | undefined;
    for (let at = 0; at < values.length; at++) {
      const index = places === undefined ? at : (places[at] as number);
      try {
        // All of a record's events are looked at before the first one counts: it is accepted as a whole, or not at all.
        const events = reader.read(values[at], index);
        // By their numbers: for lists of one, iterators would be a good part of the work.
        for (let n = 0; n < events.length; n++) {
          trails[n] ??= new Trail();
          passThrough(steps, events[n] as Event<unknown>, source, trails[n]);
        }
        if (source.onError === "fail") mustCombine(source.targets, trails.slice(0, events.length));
        for (let n = 0; n < events.length; n++) {
          combined.add(trails[n] as Trail);
          const { time } = events[n] as Event<unknown>;
          if (earliest === -1 || time < earliest) earliest = time;
          if (time > latest) latest = time;
        }
        const said = reader.watermarkSaid;
        if (said !== undefined) watermark = Math.max(watermark ?? 0, said);
      } catch (error) {
        rejected.push(rejectionOf(index, error));
        onlyTooLarge &&= error instanceof InvalidEventError && error.tooLarge;
      }
    }
    return {
      accepted: combined.events,
      rejected,
      onlyTooLarge: onlyTooLarge && rejected.length > 0,
      combined,
      earliest,
      latest,
      watermark,
    };
  }

  /**
   * Lays what was read into segments and messages, under an identity.
   *
   * @throws TooLargeError when it does not fit.
   */
  pack(reading: Reading, identity: Identity, limits: QueueLimits): Packed {
    const { plan, fingerprint } = this;
    const header = { plan, fingerprint, source: this.source.name };
    return pack(header, reading.combined.items(identity.producer), reading.accepted, identity, limits);
  }
}

/** Tries a record's events by themselves. @throws OperatorFailedError when an operator behind the steps throws on one. */
function mustCombine(targets: readonly Target[], passages: readonly Passage[]): void {
  const trial = new Combiner(targets);
  for (const passage of passages) trial.add(passage);
  const failed = trial.items("").find(({ dead }) => dead !== undefined)?.dead;
  if (failed !== undefined) throw new OperatorFailedError(failed.operator, failed.error);
}
