/**
 * OperatorExecutor: takes batches from the queue to the shards, and acknowledges what they have committed.
 *
 * No user code runs here: a batch is decoded, regrouped by shard, and sent to all shards in parallel; what it holds for
 * stages is handed on to their queues. A message is acknowledged only when every shard that it touches has committed it
 * and every queue has taken it; whatever else happens, it is delivered again.
 */
import type { Clock } from "../clock.ts";
import { EnvelopeError, messageOf } from "../errors.ts";
import type { Plan, StagePlan } from "../plan.ts";
import type { SealedPart, SealedSegment } from "./envelope.ts";
import { openEnvelope } from "./envelope.ts";
import type { Delivery, EventQueue } from "./event-queue.ts";
import type { Claims } from "./operator/claims.ts";
import { claimAll } from "./operator/claims.ts";
import { Forwarder } from "./operator/forwarder.ts";
import type { Message } from "./operator/message.ts";
import type { Patience } from "./operator/patience.ts";
import { applyPatiently } from "./operator/patience.ts";
import { retryDelay } from "./operator/retries.ts";
import type { Outgoing } from "./operator/shard-calls.ts";
import { ShardCalls } from "./operator/shard-calls.ts";
import type { SegmentId } from "./segment.ts";
import { HORIZON } from "./segment.ts";
import type { ShardCall, ShardReply } from "./shard/protocol.ts";
import type { WatermarkClient } from "./watermark/reports.ts";
import { buriedOf, committedOf, report } from "./watermark/reports.ts";

/** How the executor reaches its shards: an RPC on Workers, a function call in memory. */
export interface ShardClient {
  apply(call: ShardCall): Promise<ShardReply>;
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
  /** The queue of a stage. A plan without stages needs none. */
  readonly queue?: (stage: StagePlan) => EventQueue;
  readonly graveyard: MessageGraveyard;
  /** Told of what is committed, where something goes by event time. */
  readonly watermarks?: WatermarkClient;
  readonly clock: Clock;
  /** With a busy shard. Meanwhile the queue hands this consumer nothing more, which is as it should be. */
  readonly patience?: Patience;
  /** How long after its acceptance a segment may still be applied, ms; shards remember for longer. */
  readonly horizon?: number;
  readonly random?: () => number;
  /** Told of what of a batch could be read, before anything is done with it. */
  readonly onRead?: (messages: readonly Message[]) => void;
  /** Told of each failure, for the log. */
  readonly onError?: (error: unknown, about: string) => void;
}

export class OperatorExecutor {
  readonly #calls: ShardCalls;
  readonly #forwarder: Forwarder;
  readonly options: OperatorExecutorOptions;

  constructor(options: OperatorExecutorOptions) {
    this.options = options;
    this.#calls = new ShardCalls(options.plan);
    this.#forwarder = new Forwarder(options.plan, options.queue ?? noQueue);
  }

  /** Handles a batch, which may be empty. @param queue its name, for dead letters. */
  async consume(queue: string, batch: readonly Delivery[]): Promise<void> {
    const decoded = batch
      .map((delivery) => this.#decode(delivery))
      .filter((message) => message !== undefined);
    this.options.onRead?.(decoded);
    const young = await this.#buryExpired(queue, decoded);
    const { messages, undecided } = await claimAll(young, this.options.claims, this.options.onError);
    for (const { delivery } of undecided) this.#retry(delivery);
    const failed = new Map<Message, string>();
    await Promise.all([
      ...[...this.#calls.regroup(messages).values()].map((out) => this.#call(out, failed)),
      this.#forwarder.forward(messages, (message, error) => {
        this.options.onError?.(error, "forwarding to a stage");
        failed.set(message, messageOf(error));
      }),
    ]);
    await this.#report(
      messages.filter((message) => !failed.has(message)),
      failed,
    );
    for (const message of messages) {
      const reason = failed.get(message);
      if (reason === undefined) message.delivery.ack();
      else if (reason === FORGOTTEN) await this.#bury(queue, message, FORGOTTEN, false);
      else this.#retry(message.delivery, reason === BUSY);
    }
  }

  /** Before anything is acknowledged: else the watermark would wait for it for ever. */
  async #report(messages: readonly Message[], failed: Map<Message, string>): Promise<void> {
    const { plan, watermarks, onError } = this.options;
    try {
      const committed = messages.flatMap(({ envelope: { source, segments: all }, segments }) => {
        // What another plan's copy has won over will never be committed, nor has a stage been handed it.
        const lost = all.filter((one) => !segments.some((segment) => same(segment, one)));
        return [...committedOf(plan, source, segments), ...buriedOf(plan, source, lost)];
      });
      await report(plan, watermarks, committed);
    } catch (error) {
      onError?.(error, "reporting to the watermark's coordinator");
      for (const message of messages) failed.set(message, messageOf(error));
    }
  }

  /** Calls one shard, and notes the messages that may not be acknowledged. */
  async #call({ call, messages }: Outgoing, failed: Map<Message, string>): Promise<void> {
    const place = `${call.operator}/${call.shard}`;
    try {
      const { shards, patience } = this.options;
      const reply = await applyPatiently((asked) => shards.apply(asked), call, patience);
      if (reply.busy === true) {
        for (const message of messages) if (!failed.has(message)) failed.set(message, BUSY);
        this.#calls.untold(call);
        return;
      }
      for (const message of reply.forgotten.flatMap((id) => holding(id, messages))) {
        // A shard that failed is tried again first: what is buried is not delivered to anybody any more.
        if (!failed.has(message)) failed.set(message, FORGOTTEN);
      }
      for (const message of reply.unreadable.flatMap((id) => holding(id, messages))) {
        this.options.onError?.(new EnvelopeError("a part cannot be read"), place);
        failed.set(message, UNREADABLE);
      }
    } catch (error) {
      this.options.onError?.(error, place);
      for (const message of messages) failed.set(message, messageOf(error));
      this.#calls.untold(call);
    }
  }

  #decode(delivery: Delivery): Message | undefined {
    const { plan, onError } = this.options;
    try {
      const envelope = openEnvelope(delivery.body);
      if (envelope.generation !== plan.generation) {
        throw new Error(`generation ${envelope.generation}, this deployment is ${plan.generation}`);
      }
      const segments = envelope.segments.map((segment) => this.#withoutRetired(segment));
      for (const part of segments.flatMap((segment) => segment.parts)) this.#mustBeKnown(part);
      return { delivery, envelope, segments };
    } catch (error) {
      // It may be meant for a newer deployment that is just rolling out: it waits, and ends in the dead-letter queue.
      onError?.(error, `message ${delivery.id}`);
      this.#retry(delivery);
      return undefined;
    }
  }

  #withoutRetired(segment: SealedSegment): SealedSegment {
    const { retired } = this.options.plan;
    if (!segment.parts.some(({ operator }) => retired.has(operator))) return segment;
    return { ...segment, parts: segment.parts.filter(({ operator }) => !retired.has(operator)) };
  }

  #mustBeKnown(part: SealedPart): void {
    const operator = this.#calls.target(part.operator);
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
          message,
          "past the horizon: accepted too long ago to tell whether it was applied",
          false,
        );
    }
    return young;
  }

  async #bury(
    queue: string,
    { delivery, envelope }: Message,
    reason: string,
    redrivable: boolean,
  ): Promise<void> {
    const { plan, watermarks } = this.options;
    try {
      await this.options.graveyard.bury({
        id: delivery.id,
        queue,
        reason,
        body: String(delivery.body),
        redrivable,
      });
      await report(plan, watermarks, buriedOf(plan, envelope.source, envelope.segments));
      delivery.ack();
    } catch (error) {
      this.options.onError?.(error, `burying message ${delivery.id}`);
      this.#retry(delivery);
    }
  }

  #retry(delivery: Delivery, busy = false): void {
    const { random = Math.random } = this.options;
    delivery.retry({ delaySeconds: retryDelay(delivery.attempts, busy, random) });
  }
}

function noQueue({ name }: StagePlan): never {
  throw new Error(`nobody gave this executor the queue of stage "${name}"`);
}

const BUSY = "the shard is busy";

const FORGOTTEN =
  "the shard no longer knows whether it applied this: too many segments of its producer are missing";

const UNREADABLE = "a part of it cannot be read";

function same(a: SegmentId, b: SegmentId): boolean {
  return a.producer === b.producer && a.sequence === b.sequence;
}

function holding(id: SegmentId, messages: Iterable<Message>): Message[] {
  return [...messages].filter(({ segments }) => segments.some((segment) => same(segment, id)));
}
