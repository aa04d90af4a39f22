/**
 * Emitter: what a commit emits, run through the stateless steps behind the operator, combined, and laid into one segment
 * (or more, where it is large) for each destination. All user code on the way runs here, before the commit.
 */
import { OperatorFailedError } from "../../errors.ts";
import type { Event } from "../../event.ts";
import type { OperatorPlan, SideSteps, Step } from "../../plan.ts";
import { bytesInMessage, seal } from "../envelope.ts";
import type { ShardContent } from "../segment.ts";
import { RECORD_WIDTH } from "../segment.ts";
import { passThrough } from "../source/chain.ts";
import { Combiner } from "../source/combiner.ts";
import { partsOf } from "../source/packer.ts";
import type { ShardCounters } from "./counters.ts";
import { channelOf } from "./counters.ts";
import type { OutboxEntry } from "./outbox.ts";
import { destinationOf } from "./outbox.ts";

/** A segment to another shard is a call's argument; one to a stage is a queue message, which is billed per 64 KB. */
const CALL_BYTES = 1_000_000;
const MESSAGE_BYTES = 60_000;
/** The most that a queue message may hold of one event. */
const MAX_MESSAGE_BYTES = 120_000;

/** An event that no message to its stage can hold. */
export interface Oversized {
  readonly stage: string;
  readonly bytes: number;
  readonly content: ShardContent;
}

export class Emitter {
  readonly #operator: OperatorPlan;
  readonly #combiner: Combiner;
  readonly #shard: number;
  #emitted = 0;
  #earliest = Number.POSITIVE_INFINITY;

  constructor(operator: OperatorPlan, shard: number) {
    this.#operator = operator;
    this.#shard = shard;
    this.#combiner = new Combiner(operator.outputs.targets);
  }

  /** @throws OperatorFailedError when a step behind the operator throws and the job's policy is `fail`. */
  emit(output: string | undefined, event: Event<unknown>): void {
    const { outputs, onError } = this.#operator;
    const steps: readonly Step[] = output === undefined ? outputs.main : sideOf(outputs.sides, output);
    if (steps.length === 0) return;
    this.#emitted++;
    this.#earliest = Math.min(this.#earliest, event.time);
    this.#combiner.add(passThrough(steps, event, { onError, refusable: false }));
  }

  /**
   * Numbers what was emitted; the numbers are taken in `counters`.
   *
   * @throws OperatorFailedError when something cannot be combined and the job's policy is `fail`: once it is on its way
   * its destination would refuse it for ever.
   */
  finish(counters: ShardCounters, now: number): { entries: OutboxEntry[]; oversized: Oversized[] } {
    const entries: OutboxEntry[] = [];
    const oversized: Oversized[] = [];
    if (this.#emitted === 0) return { entries, oversized };
    const { name, onError, outputs } = this.#operator;
    const stages = new Set(outputs.targets.filter(({ kind }) => kind === "stage").map((stage) => stage.name));
    // What a filter drops between two shards never left the first one: nobody has to hear of it.
    const items = this.#combiner
      .items(destinationOf(name, this.#shard))
      .filter(({ dropped }) => dropped === undefined);
    const failed = onError === "fail" ? items.find(({ dead }) => dead !== undefined)?.dead : undefined;
    if (failed !== undefined) throw new OperatorFailedError(failed.operator, failed.error);
    for (const { operator, byShard } of partsOf(items)) {
      const queued = stages.has(operator);
      for (const { shard, ...whole } of byShard) {
        const destination = destinationOf(operator, shard);
        const [limit, sizeOf] = queued ? [MESSAGE_BYTES, bytesInMessage] : [CALL_BYTES, lengthOf];
        for (const { sealed, size, content } of pieces(whole, limit, sizeOf)) {
          if (queued && size > MAX_MESSAGE_BYTES) {
            oversized.push({ stage: operator, bytes: size, content });
            continue;
          }
          const channel = channelOf(counters, destination);
          const { next: sequence, events: before } = channel;
          const events = eventsOf(content);
          channel.next++;
          channel.events += events;
          const time = this.#earliest;
          entries.push({ destination, sequence, arrival: now, events, before, content: sealed, time });
        }
      }
    }
    return { entries, oversized };
  }
}

interface Piece {
  readonly sealed: string;
  readonly size: number;
  readonly content: ShardContent;
}

/** The content sealed as one text, or in pieces of a size of at most `limit` where it can be cut. */
function* pieces(
  content: ShardContent,
  limit: number,
  sizeOf: (sealed: string) => number,
): IterableIterator<Piece> {
  const sealed = seal(content);
  const size = sizeOf(sealed);
  const parts = content.records.length / RECORD_WIDTH + content.dead.length;
  if (size <= limit || parts <= 1) {
    yield { sealed, size, content };
    return;
  }
  for (const half of halves(content)) yield* pieces(half, limit, sizeOf);
}

/** A call's limit is far away: characters are near enough. */
function lengthOf(sealed: string): number {
  return sealed.length;
}

/** Any name may be emitted to: those that an object has by nature are no outputs. */
function sideOf(sides: SideSteps, output: string): readonly Step[] {
  return Object.hasOwn(sides, output) ? (sides[output] as readonly Step[]) : [];
}

function halves({ records, times, dead }: ShardContent): ShardContent[] {
  const cut = Math.ceil(records.length / RECORD_WIDTH / 2);
  const deadCut = Math.ceil(dead.length / 2);
  // With one record the dead go by themselves.
  const alone = records.length === RECORD_WIDTH && dead.length > 0;
  const part = (from: number, to: number, deadFrom: number, deadTo: number): ShardContent => ({
    records: records.slice(from * RECORD_WIDTH, to * RECORD_WIDTH),
    dropped: 0,
    dead: dead.slice(deadFrom, deadTo),
    ...(times === undefined ? {} : { times: times.slice(from, to) }),
  });
  return alone
    ? [part(0, 1, 0, 0), part(1, 1, 0, dead.length)]
    : [part(0, cut, 0, deadCut), part(cut, records.length, deadCut, dead.length)];
}

function eventsOf({ records, dead }: ShardContent): number {
  let events = dead.reduce((sum, { n }) => sum + n, 0);
  for (let at = 2; at < records.length; at += RECORD_WIDTH) events += records[at] as number;
  return events;
}
