/** Packer: lays items into segments and segments into messages, each just under what the queue bills as one unit. */
import { byteLength } from "../../byte-length.ts";
import { TooLargeError } from "../../errors.ts";
import type { Plan, Target } from "../../plan.ts";
import { encodeSegment, joinEnvelope } from "../envelope.ts";
import type { QueueLimits } from "../event-queue.ts";
import type {
  DeadEvent,
  OperatorPart,
  ProducerKind,
  Segment,
  SegmentId,
  SegmentTime,
  ShardPart,
} from "../segment.ts";
import type { Usage } from "../usage.ts";
import type { Item } from "./combiner.ts";

/** Queues bill a message per 64 KB begun: a message aims at one unit. */
const PACKED_MESSAGE_BYTES = 63_000;

/** Who a request's segments belong to. */
export interface Identity extends SegmentId {
  readonly kind: ProducerKind;
  readonly arrival: number;
  /** Events of this producer's earlier segments. */
  readonly before: number;
  /** True when all must travel in one segment, so that a retry means the same. */
  readonly single: boolean;
  /** What the first segment means for the watermark; those that follow are numbered on from there. */
  readonly time?: SegmentTime;
  /** Told by the first segment. */
  readonly used?: Readonly<Usage> | undefined;
}

export interface Packed {
  readonly messages: readonly string[];
  /** Of all messages, in UTF-8. */
  readonly bytes: number;
  readonly segments: readonly Segment[];
  /** The segments as `joinEnvelope` takes them. */
  readonly encoded: readonly string[];
}

/**
 * Packs the items of one request.
 *
 * @throws TooLargeError when they do not fit one message (`single`), or one atomic send.
 */
export function pack(
  header: { readonly plan: Plan; readonly source: string; readonly fingerprint: string },
  items: readonly Item[],
  events: number,
  identity: Identity,
  limits: QueueLimits,
): Packed {
  const target = identity.single ? limits.messageBytes : Math.min(PACKED_MESSAGE_BYTES, limits.messageBytes);
  const { plan, fingerprint, source } = header;
  const envelope = { generation: plan.generation, fingerprint, source };
  const messages: string[] = [];
  const segments: Segment[] = [];
  const encoded: string[] = [];
  let sendBytes = 0;
  place(items);
  return { messages, segments, encoded, bytes: sendBytes };

  function place(some: readonly Item[]): void {
    const first = segments.length === 0;
    const segment: Segment = {
      producer: identity.producer,
      sequence: identity.sequence + segments.length,
      kind: identity.kind,
      arrival: identity.arrival,
      // The whole request is counted with its first segment; what matters is that each event is counted once.
      events: first ? events : 0,
      before: first ? identity.before : identity.before + events,
      parts: partsOf(some),
      ...(identity.time === undefined ? {} : { time: timeOf(identity.time, segments.length) }),
      ...(first && identity.used !== undefined ? { used: identity.used } : {}),
    };
    const text = encodeSegment(segment);
    const message = joinEnvelope(envelope, [text]);
    const bytes = byteLength(message);
    if (bytes > (some.length === 1 ? limits.messageBytes : target)) {
      if (identity.single || some.length === 1) throw tooLarge(bytes, limits.messageBytes, identity.single);
      const pieces = Math.ceil(bytes / target) + 1;
      const size = Math.ceil(some.length / pieces);
      for (let at = 0; at < some.length; at += size) place(some.slice(at, at + size));
      return;
    }
    messages.push(message);
    segments.push(segment);
    encoded.push(text);
    sendBytes += bytes;
    if (sendBytes > limits.sendBytes || messages.length > limits.messages) {
      throw new TooLargeError(
        `the events of one request must fit ${limits.sendBytes} bytes once packed; send them in smaller requests`,
      );
    }
  }
}

/** What a sender says of event times holds when the request's last segment is committed; said with each, it holds with each. */
function timeOf(time: SegmentTime, further: number): SegmentTime {
  return { ...time, n: time.n + further };
}

function tooLarge(bytes: number, limit: number, single: boolean): TooLargeError {
  const why = single
    ? "the events of an identified request travel in one message"
    : "one event must fit one message";
  return new TooLargeError(
    `${why} of ${limit} bytes, these take ${bytes}; send fewer or smaller events per request`,
  );
}

export function partsOf(items: readonly Item[]): OperatorPart[] {
  const grouped: Group[] = [];
  let group: Group | undefined;
  for (const { target, shard, record, time = 0, dead, dropped = 0 } of items) {
    if (group?.target !== target) {
      group = grouped.find((one) => one.target === target);
      if (group === undefined) {
        group = { target, byShard: [], parts: [] };
        grouped.push(group);
      }
    }
    let one = group.byShard[shard];
    if (one === undefined) {
      one = { shard, records: [], dropped: 0, dead: [], ...(isRead(target) ? { times: [] } : {}) };
      group.byShard[shard] = one;
      group.parts.push(one);
    }
    if (record !== undefined) {
      one.records.push(record[0], record[1], record[2]);
      one.times?.push(time);
    }
    if (dead !== undefined) one.dead.push(dead);
    one.dropped += dropped;
  }
  return grouped.map(({ target: { name, shards }, parts }) => ({ operator: name, shards, byShard: parts }));
}

/** Whether what an aggregate emits goes anywhere: then it must know event times. Others see whole events. */
function isRead(target: Target): boolean {
  return target.kind === "aggregate" && target.outputs.targets.length > 0;
}

interface Group {
  readonly target: Target;
  /** Its parts by the numbers of their shards, and in the order in which they came up. */
  readonly byShard: MutableShardPart[];
  readonly parts: MutableShardPart[];
}

interface MutableShardPart extends ShardPart {
  readonly records: unknown[];
  readonly times?: number[];
  readonly dead: DeadEvent[];
  dropped: number;
}
