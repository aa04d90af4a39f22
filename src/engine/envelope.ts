/**
 * Envelope: the text form of a queue message, a header and one or more segments, with a version.
 *
 * It is JSON: the one encoding that V8 reads and writes natively, that keeps any string (lone surrogates are escaped)
 * and that a person can read in a dead letter. Positions instead of names keep it small. Fields are only ever appended.
 * What each shard is to apply is a text inside the text (a *sealed* part): whoever only routes it hands it on unread.
 */
import { byteLength } from "../byte-length.ts";
import { EnvelopeError, messageOf } from "../errors.ts";
import type { DeadEvent, OperatorPart, Segment, SegmentTime, ShardContent } from "./segment.ts";
import { ProducerKind, RECORD_WIDTH } from "./segment.ts";
import type { Usage } from "./usage.ts";

export const ENVELOPE_VERSION = 1;

export interface EnvelopeHeader {
  readonly generation: number;
  /** The plan that routed the segments. */
  readonly fingerprint: string;
  readonly source: string;
}

export interface Envelope extends EnvelopeHeader {
  readonly segments: readonly Segment[];
}

/** A segment as it is routed. */
export interface SealedSegment extends Omit<Segment, "parts"> {
  readonly parts: readonly SealedPart[];
}

export interface SealedPart extends Omit<OperatorPart, "byShard"> {
  readonly byShard: readonly { readonly shard: number; readonly content: string }[];
}

export interface SealedEnvelope extends Omit<Envelope, "segments"> {
  readonly segments: readonly SealedSegment[];
}

const KINDS: readonly ProducerKind[] = Object.values(ProducerKind);

type PackedContent = [
  records: readonly unknown[],
  dropped: number,
  dead: readonly DeadEvent[],
  times?: readonly number[],
];
type PackedShard = [shard: number, content: string];
type PackedPart = [operator: string, shards: number, byShard: PackedShard[]];
type PackedSegment = [
  producer: string,
  sequence: number,
  kind: ProducerKind,
  arrival: number,
  events: number,
  before: number,
  parts: PackedPart[],
  time?: PackedTime | null,
  used?: Readonly<Usage> | null,
];
type PackedTime = [hold: string, n: number, front: number | null, watermark: number | null];
type PackedEnvelope = [
  v: number,
  generation: number,
  fingerprint: string,
  source: string,
  segments: PackedSegment[],
];

export function encodeEnvelope({ segments, ...header }: Envelope): string {
  return joinEnvelope(header, segments.map(encodeSegment));
}

/** An envelope whose parts are sealed, on its way from one queue to another, or from an outbox. */
export function encodeSealed({ segments, ...header }: SealedEnvelope): string {
  return joinEnvelope(header, segments.map(encodeSealedSegment));
}

/** The text of one segment as it stands in an envelope, for `joinEnvelope`. */
export function encodeSegment(segment: Segment): string {
  return encodeSealedSegment({
    ...segment,
    parts: segment.parts.map(({ operator, shards, byShard }) => ({
      operator,
      shards,
      byShard: byShard.map((one) => ({ shard: one.shard, content: seal(one) })),
    })),
  });
}

/** An envelope of segments that are encoded already: those that travel together are not encoded again for it. */
export function joinEnvelope(
  { generation, fingerprint, source }: EnvelopeHeader,
  segments: readonly string[],
): string {
  const header = JSON.stringify([ENVELOPE_VERSION, generation, fingerprint, source]);
  return `${header.slice(0, -1)},[${segments.join(",")}]]`;
}

function encodeSealedSegment(s: SealedSegment): string {
  const packed: PackedSegment = [
    s.producer,
    s.sequence,
    s.kind,
    s.arrival,
    s.events,
    s.before,
    s.parts.map((p) => [p.operator, p.shards, p.byShard.map((b) => [b.shard, b.content])]),
  ];
  if (s.time !== undefined) packed.push(packTime(s.time));
  if (s.used !== undefined) packed.push(...(s.time === undefined ? [null] : []), s.used);
  return JSON.stringify(packed);
}

/** An envelope with all that it holds. @throws EnvelopeError as `openEnvelope` and `unseal` do. */
export function decodeEnvelope(text: unknown): Envelope {
  const envelope = openEnvelope(text);
  const open = (segment: SealedSegment): Segment => ({
    ...segment,
    parts: segment.parts.map((part) => ({
      ...part,
      byShard: part.byShard.map(({ shard, content }) => ({ shard, ...unseal(content) })),
    })),
  });
  return { ...envelope, segments: envelope.segments.map(open) };
}

export function seal({ records, dropped, dead, times }: ShardContent): string {
  const packed: PackedContent =
    times === undefined ? [records, dropped, dead] : [records, dropped, dead, times];
  return JSON.stringify(packed);
}

/** The UTF-8 bytes that a sealed part takes in an envelope, where it is a text inside the text: quotes count twice there. */
export function bytesInMessage(sealed: string): number {
  return byteLength(JSON.stringify(sealed));
}

/** @throws EnvelopeError when it is not what `seal` gives. */
export function unseal(content: string): ShardContent {
  try {
    return decodeContent(JSON.parse(content) as PackedContent);
  } catch (error) {
    throw new EnvelopeError(`a broken part of an envelope: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * An envelope with its parts sealed.
 *
 * @throws EnvelopeError when it is not an envelope, or one of a version that this code does not know.
 */
export function openEnvelope(text: unknown): SealedEnvelope {
  if (typeof text !== "string") throw new EnvelopeError(`a message is text, not ${typeof text}`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new EnvelopeError(`a message is JSON: ${messageOf(error)}`, { cause: error });
  }
  if (!Array.isArray(value)) throw new EnvelopeError("a message is an array that starts with a version");
  if (value[0] !== ENVELOPE_VERSION) {
    throw new EnvelopeError(
      `unknown envelope version ${typeof value[0] === "number" ? value[0] : typeof value[0]}; this code knows ${ENVELOPE_VERSION}`,
    );
  }
  try {
    const [, generation, fingerprint, source, segments] = value as PackedEnvelope;
    return {
      generation: number(generation),
      fingerprint: string(fingerprint),
      source: string(source),
      segments: segments.map(decodeSegment),
    };
  } catch (error) {
    throw new EnvelopeError(`a broken envelope: ${messageOf(error)}`, { cause: error });
  }
}

function decodeSegment(packed: PackedSegment): SealedSegment {
  const [producer, sequence, kind, arrival, events, before, parts, time, used] = packed;
  if (!/^[0-9a-f]{32}$/.test(string(producer))) throw new TypeError("a producer is 32 hex digits");
  return {
    producer,
    sequence: number(sequence),
    kind: oneOf(KINDS, kind),
    arrival: number(arrival),
    events: number(events),
    before: number(before),
    parts: distinct(parts.map(decodePart), ({ operator }) => operator),
    ...(time === undefined || time === null ? {} : { time: decodeTime(time) }),
    ...(used === undefined || used === null ? {} : { used: decodeUsage(used) }),
  };
}

function decodeUsage(used: Readonly<Usage>): Readonly<Usage> {
  for (const count of Object.values(used)) number(count);
  return used;
}

function packTime({ hold, n, front, watermark }: SegmentTime): PackedTime {
  return [hold, n, front ?? null, watermark ?? null];
}

function decodeTime([hold, n, front, watermark]: PackedTime): SegmentTime {
  return {
    hold: string(hold),
    n: number(n),
    ...(front === null ? {} : { front: front === -1 ? -1 : number(front) }),
    ...(watermark === null ? {} : { watermark: number(watermark) }),
  };
}

function decodePart([operator, shards, byShard]: PackedPart): SealedPart {
  return {
    operator: string(operator),
    shards: number(shards),
    byShard: distinct(
      byShard.map(([shard, content]) => ({ shard: number(shard), content: string(content) })),
      ({ shard }) => shard,
    ),
  };
}

function decodeContent([records, dropped, dead, times]: PackedContent): ShardContent {
  if (!Array.isArray(records) || records.length % RECORD_WIDTH !== 0)
    throw new TypeError("records come in threes");
  for (let at = 0; at < records.length; at += RECORD_WIDTH) {
    string(records[at]);
    number(records[at + 2]);
  }
  if (!Array.isArray(dead)) throw new TypeError("dead events are a list");
  for (const { operator, error, event, n } of dead) {
    string(operator);
    string(error);
    string(event.id);
    number(n);
  }
  if (times === undefined) return { records, dropped: number(dropped), dead };
  if (!Array.isArray(times) || times.length * RECORD_WIDTH !== records.length)
    throw new TypeError("a record has a time each");
  return { records, dropped: number(dropped), dead, times: times.map(number) };
}

/** Two entries for the same would be one too many for whoever looks for the first. */
function distinct<T>(list: readonly T[], name: (item: T) => unknown): readonly T[] {
  if (new Set(list.map(name)).size !== list.length) throw new TypeError("the same operator or shard twice");
  return list;
}

function oneOf<T>(allowed: readonly T[], value: T): T {
  if (!allowed.includes(value)) throw new TypeError(`expected one of ${allowed.join(", ")}`);
  return value;
}

function number(value: unknown): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) {
    throw new TypeError(`expected a whole number, got ${JSON.stringify(value)}`);
  }
  return value;
}

function string(value: unknown): string {
  if (typeof value !== "string") throw new TypeError(`expected text, got ${typeof value}`);
  return value;
}
