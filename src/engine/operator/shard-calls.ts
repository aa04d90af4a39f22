/**
 * ShardCalls: regroups a batch into one call per shard, and remembers which segments a shard has still to be told of.
 *
 * A shard closes its prefixes when it hears of every segment, also of those that hold nothing for it. Where a batch does
 * not touch it, it hears of them with its next call. What is forgotten here, with the isolate, costs a shard some bits.
 */
import type { Plan, Target } from "../../plan.ts";
import type { SealedPart, SealedSegment } from "../envelope.ts";
import type { ShardCall, ShardSegment } from "../shard/protocol.ts";
import { SHARD_CALL_VERSION } from "../shard/protocol.ts";
import type { Message } from "./message.ts";

/** Segments that a shard may be told about later, at most. */
const MAX_UNTOLD = 10_000;

export interface Outgoing {
  readonly call: ShardCall & { readonly segments: ShardSegment[] };
  /** The messages that touch this shard. */
  readonly messages: Set<Message>;
}

export class ShardCalls {
  readonly #plan: Plan;
  readonly #targets: ReadonlyMap<string, Target>;
  /** Per shard, segments that hold nothing for it. */
  readonly #untold = new Map<string, ShardSegment[]>();

  constructor(plan: Plan) {
    this.#plan = plan;
    const fed = [...plan.sources.values()].flatMap((source) => source.targets);
    // A message may be for an operator that its source no longer feeds.
    this.#targets = new Map([...plan.operators.values(), ...fed].map((target) => [target.name, target]));
  }

  /** The operator of this name, if the plan still has it. */
  target(name: string): Target | undefined {
    return this.#targets.get(name);
  }

  /** One call per shard that is touched, listing every segment of its source in the batch. */
  regroup(messages: readonly Message[]): Map<string, Outgoing> {
    const outgoing = new Map<string, Outgoing>();
    for (const message of messages) {
      for (const { operator, shards, byShard } of message.segments.flatMap((segment) => segment.parts)) {
        // Stages have queues of their own.
        if (this.#targets.get(operator)?.kind === "stage") continue;
        for (const { shard } of byShard) {
          const id = `${operator}/${shard}`;
          let out = outgoing.get(id);
          if (out === undefined) {
            const { generation } = this.#plan;
            const segments: ShardSegment[] = this.#untold.get(id) ?? [];
            this.#untold.delete(id);
            out = {
              call: { v: SHARD_CALL_VERSION, generation, operator, shard, shards, segments },
              messages: new Set(),
            };
            outgoing.set(id, out);
          }
          out.messages.add(message);
        }
      }
    }
    for (const { envelope, segments } of messages) {
      for (const segment of segments) {
        for (const target of this.#targetsOf(envelope.source, segment)) {
          const part = segment.parts.find(({ operator }) => operator === target.name);
          const nothing = forShard(envelope.source, segment, undefined, 0);
          for (let shard = 0; shard < target.shards; shard++) {
            const id = `${target.name}/${shard}`;
            const out = outgoing.get(id);
            const told = part === undefined ? nothing : forShard(envelope.source, segment, part, shard);
            if (out !== undefined) out.call.segments.push(told);
            // One object for all shards: there may be many of both.
            else this.#tellLater(id, nothing);
          }
        }
      }
    }
    return outgoing;
  }

  /** A call failed: what it would have told without content is told with the next one. */
  untold({ operator, shard, segments }: ShardCall): void {
    for (const segment of segments) {
      if (segment.content === null) this.#tellLater(`${operator}/${shard}`, segment);
    }
  }

  /** The operators that the source feeds now, and those that the segment was routed to: a deploy may lie between. */
  #targetsOf(source: string, segment: SealedSegment): Set<Target> {
    const targets = new Set(this.#plan.sources.get(source)?.targets);
    for (const { operator } of segment.parts) targets.add(this.#targets.get(operator) as Target);
    for (const target of targets) if (target.kind === "stage") targets.delete(target);
    return targets;
  }

  #tellLater(id: string, segment: ShardSegment): void {
    let list = this.#untold.get(id);
    if (list === undefined) {
      list = [];
      this.#untold.set(id, list);
    }
    if (list.length < MAX_UNTOLD) list.push(segment);
  }
}

function forShard(
  source: string,
  segment: SealedSegment,
  part: SealedPart | undefined,
  shard: number,
): ShardSegment {
  const { producer, sequence, kind, arrival, events, before } = segment;
  const own = part?.byShard.find((candidate) => candidate.shard === shard);
  const anchored = part?.byShard[0]?.shard === shard;
  const content = own?.content ?? null;
  const front = segment.time?.front;
  // Written out: there is one for each segment and shard, and to copy properties one by one takes ten times as long.
  return front === undefined
    ? { source, producer, sequence, kind, arrival, events, before, anchored, content }
    : { source, producer, sequence, kind, arrival, events, before, anchored, content, front };
}
