/**
 * OperatorExecutor: takes batches from the queue to the shards, and acknowledges what they have committed.
 *
 * No user code runs here: a batch is decoded, regrouped by shard, and sent to all shards in parallel. A message is
 * acknowledged only when every shard that it touches has committed it; whatever else happens, it is delivered again.
 */
import type { Clock } from "../clock.ts";
import { EnvelopeError, messageOf } from "../errors.ts";
import type { Plan, Target } from "../plan.ts";
import type { SealedEnvelope, SealedPart, SealedSegment } from "./envelope.ts";
import { openEnvelope } from "./envelope.ts";
import type { Delivery } from "./event-queue.ts";
import type { SegmentId } from "./segment.ts";
import { ProducerKind } from "./segment.ts";
import type { ShardCall, ShardReply, ShardSegment } from "./shard/protocol.ts";
import { SHARD_CALL_VERSION } from "./shard/protocol.ts";

/** How the executor reaches its shards: an RPC on Workers, a function call in memory. */
export interface ShardClient {
  apply(call: ShardCall): Promise<ShardReply>;
}

/**
 * Decides which plan may route a client's segment. A client may send a segment again after a deploy that routes
 * differently; were both copies applied, an event could count in two shards, or in none. The first plan whose copy
 * is claimed wins; copies that another plan routed are duplicates.
 */
export interface Claims {
  /** Claims durably; true for each sequence that `fingerprint` holds now, false for those that another one does. */
  claim(producer: string, fingerprint: string, sequences: readonly number[]): Promise<boolean[]>;
}

/** Where messages go that can never be applied. */
export interface MessageGraveyard {
  /** Keeps a message for inspection; idempotent by `id`. */
  bury(message: BuriedMessage): Promise<void>;
}

export interface BuriedMessage {
  readonly id: string;
  readonly queue: string;
  readonly reason: string;
  readonly body: string;
  /** Whether sending it again could ever help. */
  readonly redrivable: boolean;
}

export interface OperatorExecutorOptions {
  readonly plan: Plan;
  readonly shards: ShardClient;
  readonly claims: Claims;
  readonly graveyard: MessageGraveyard;
  readonly clock: Clock;
  /** How long after its acceptance a segment may still be applied, ms; shards remember for longer. */
  readonly horizon?: number;
  readonly random?: () => number;
  /** Told of each failure, for the log. */
  readonly onError?: (error: unknown, about: string) => void;
}

const DAY = 86_400_000;
export const HORIZON = 14 * DAY;
/** Segments that a shard may be told about later, since a batch did not touch it. */
const MAX_UNTOLD = 10_000;

interface Message {
  readonly delivery: Delivery;
  readonly envelope: SealedEnvelope;
  readonly segments: readonly SealedSegment[];
}

interface Outgoing {
  readonly call: ShardCall & { readonly segments: ShardSegment[] };
  readonly messages: Set<Message>;
}

export class OperatorExecutor {
  /** Per shard, segments that hold nothing for it: told with its next call, so that its prefixes close. */
  readonly #untold = new Map<string, ShardSegment[]>();

  readonly #targets: ReadonlyMap<string, Target>;

  readonly options: OperatorExecutorOptions;

  constructor(options: OperatorExecutorOptions) {
    this.options = options;
    const targets = [...options.plan.sources.values()].flatMap((source) => source.targets);
    this.#targets = new Map(targets.map((target) => [target.name, target]));
  }

  /** Handles a batch, which may be empty. @param queue its name, for dead letters. */
  async consume(queue: string, batch: readonly Delivery[]): Promise<void> {
    const decoded = batch
      .map((delivery) => this.#decode(delivery))
      .filter((message) => message !== undefined);
    const young = await this.#buryExpired(queue, decoded);
    const messages = await this.#claimed(young);
    const outgoing = this.#regroup(messages);
    const failed = new Map<Message, string>();
    await Promise.all(
      [...outgoing.values()].map(async ({ call, messages }) => {
        try {
          const reply = await this.options.shards.apply(call);
          for (const id of reply.forgotten) {
            // A shard that failed is tried again first: what is buried is not delivered to anybody any more.
            for (const message of holding(id, messages))
              if (!failed.has(message)) failed.set(message, FORGOTTEN);
          }
          for (const id of reply.unreadable) {
            this.options.onError?.(
              new EnvelopeError("a part cannot be read"),
              `${call.operator}/${call.shard}`,
            );
            for (const message of holding(id, messages)) failed.set(message, "unreadable");
          }
        } catch (error) {
          this.options.onError?.(error, `${call.operator}/${call.shard}`);
          for (const message of messages) failed.set(message, messageOf(error));
          for (const segment of call.segments) {
            if (segment.content === null) this.#tellLater(`${call.operator}/${call.shard}`, segment);
          }
        }
      }),
    );
    for (const message of messages) {
      const reason = failed.get(message);
      if (reason === undefined) message.delivery.ack();
      else if (reason === FORGOTTEN) await this.#bury(queue, message.delivery, FORGOTTEN, false);
      else this.#retry(message.delivery);
    }
  }

  #decode(delivery: Delivery): Message | undefined {
    const { plan, onError } = this.options;
    try {
      const envelope = openEnvelope(delivery.body);
      if (envelope.generation !== plan.generation) {
        throw new Error(`generation ${envelope.generation}, this deployment is ${plan.generation}`);
      }
      for (const part of envelope.segments.flatMap((segment) => segment.parts)) this.#mustBeKnown(part);
      return { delivery, envelope, segments: envelope.segments };
    } catch (error) {
      // It may be meant for a newer deployment that is just rolling out: it waits, and ends in the dead-letter queue.
      onError?.(error, `message ${delivery.id}`);
      this.#retry(delivery);
      return undefined;
    }
  }

  #mustBeKnown(part: SealedPart): void {
    const operator = this.#targets.get(part.operator);
    if (operator === undefined) throw new Error(`unknown operator ${JSON.stringify(part.operator)}`);
    if (operator.shards !== part.shards) {
      throw new Error(
        `operator ${part.operator}: routed to ${part.shards} shards, this deployment has ${operator.shards}`,
      );
    }
    if (part.byShard.some(({ shard }) => shard >= part.shards))
      throw new Error(`operator ${part.operator}: no such shard`);
  }

  /** Segments past the horizon may have been applied and forgotten: they can only be refused. */
  async #buryExpired(queue: string, messages: readonly Message[]): Promise<Message[]> {
    const { clock, horizon = HORIZON } = this.options;
    const oldest = clock.now() - horizon;
    const young: Message[] = [];
    for (const message of messages) {
      if (message.segments.every((segment) => segment.arrival >= oldest)) young.push(message);
      else
        await this.#bury(
          queue,
          message.delivery,
          "past the horizon: accepted too long ago to tell whether it was applied",
          false,
        );
    }
    return young;
  }

  /** Without the segments of clients that another plan's copy was claimed for. */
  async #claimed(messages: readonly Message[]): Promise<Message[]> {
    const wanted = new Map<string, { producer: string; fingerprint: string; sequences: Set<number> }>();
    for (const { envelope, segments } of messages) {
      for (const { kind, producer, sequence } of segments) {
        if (kind !== ProducerKind.client) continue;
        const id = `${producer}/${envelope.fingerprint}`;
        const group = wanted.get(id) ?? { producer, fingerprint: envelope.fingerprint, sequences: new Set() };
        wanted.set(id, group);
        group.sequences.add(sequence);
      }
    }
    if (wanted.size === 0) return [...messages];
    const lost = new Set<string>();
    const undecided = new Set<string>();
    await Promise.all(
      [...wanted].map(async ([id, { producer, fingerprint, sequences }]) => {
        const list = [...sequences];
        try {
          const held = await this.options.claims.claim(producer, fingerprint, list);
          list.forEach((sequence, n) => held[n] === true || lost.add(`${id}/${sequence}`));
        } catch (error) {
          this.options.onError?.(error, `claims of ${producer}`);
          undecided.add(id);
        }
      }),
    );
    return messages.flatMap((message): Message[] => {
      const { fingerprint } = message.envelope;
      if (message.segments.some(({ producer }) => undecided.has(`${producer}/${fingerprint}`))) {
        this.#retry(message.delivery);
        return [];
      }
      const segments = message.segments.filter(
        ({ producer, sequence }) => !lost.has(`${producer}/${fingerprint}/${sequence}`),
      );
      return [{ ...message, segments }];
    });
  }

  /** One call per shard that is touched, listing every segment of its source in the batch. */
  #regroup(messages: readonly Message[]): Map<string, Outgoing> {
    const outgoing = new Map<string, Outgoing>();
    const { plan } = this.options;
    for (const message of messages) {
      for (const { operator, shards, byShard } of message.segments.flatMap((segment) => segment.parts)) {
        for (const { shard } of byShard) {
          const id = `${operator}/${shard}`;
          let out = outgoing.get(id);
          if (out === undefined) {
            const { generation } = plan;
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

  /** The operators that the source feeds now, and those that the segment was routed to: a deploy may lie between. */
  #targetsOf(source: string, segment: SealedSegment): Set<Target> {
    const targets = new Set(this.options.plan.sources.get(source)?.targets);
    for (const { operator } of segment.parts) targets.add(this.#targets.get(operator) as Target);
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

  async #bury(queue: string, delivery: Delivery, reason: string, redrivable: boolean): Promise<void> {
    try {
      await this.options.graveyard.bury({
        id: delivery.id,
        queue,
        reason,
        body: String(delivery.body),
        redrivable,
      });
      delivery.ack();
    } catch (error) {
      this.options.onError?.(error, `burying message ${delivery.id}`);
      this.#retry(delivery);
    }
  }

  /** Backs off to a quarter of an hour, so that the retries of a queue outlast an outage of a day. */
  #retry(delivery: Delivery): void {
    const { random = Math.random } = this.options;
    const base = Math.min(2 ** Math.min(delivery.attempts, 20), 900);
    delivery.retry({ delaySeconds: Math.ceil(base * (0.5 + random() / 2)) });
  }
}

const FORGOTTEN =
  "the shard no longer knows whether it applied this: too many segments of its producer are missing";

function same(a: SegmentId, b: SegmentId): boolean {
  return a.producer === b.producer && a.sequence === b.sequence;
}

function holding(id: SegmentId, messages: Iterable<Message>): Message[] {
  return [...messages].filter(({ segments }) => segments.some((segment) => same(segment, id)));
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
  return { source, producer, sequence, kind, arrival, events, before, anchored, content };
}
