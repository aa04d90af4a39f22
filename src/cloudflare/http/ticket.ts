/** Ticket: what an accepted request became, as an opaque text that says where to ask, so that no row is written for it. */
import type { Segment } from "../../engine/segment.ts";

export interface Ticket {
  readonly source: string;
  readonly producer: string;
  /** Of the first segment; the others follow without gaps. */
  readonly sequence: number;
  /** How many segments the request was packed into, at least 1. */
  readonly segments: number;
  /** Each operator that the request holds something for: the first ones with shards behind its source, stages among them. */
  readonly operators: readonly TicketOperator[];
}

export interface TicketOperator {
  readonly name: string;
  /** `shards[i]`: the shards that segment `i` touches, ascending; `segments` lists, some of which may be empty. */
  readonly shards: readonly (readonly number[])[];
}

const VERSION = 1;
/** Above what any request can be packed into; they bound the work that a forged ticket can ask for. */
const MAX_TEXT = 16_384;
const MAX_SEGMENTS = 100;
const MAX_OPERATORS = 256;
const MAX_SHARDS = 256;

/** A shard set as hex digits of a bitmap: 256 shards take 64 characters of a URL, as a list up to 900. */
type PackedTicket = [
  v: number,
  source: string,
  producer: string,
  sequence: number,
  segments: number,
  operators: [name: string, shards: string[]][],
];

/** The ticket of one request's segments, which are numbered without gaps. */
export function ticketOf(source: string, segments: readonly Segment[]): Ticket {
  const [first] = segments;
  if (first === undefined) throw new RangeError("a ticket stands for at least one segment");
  const names = new Set(segments.flatMap(({ parts }) => parts.map(({ operator }) => operator)));
  const operators = [...names].map((name) => ({
    name,
    shards: segments.map(({ parts }) =>
      parts
        .filter(({ operator }) => operator === name)
        .flatMap(({ byShard }) => byShard.map(({ shard }) => shard))
        .sort((a, b) => a - b),
    ),
  }));
  return { source, producer: first.producer, sequence: first.sequence, segments: segments.length, operators };
}

/** As base64url: it may stand in a URL's path. */
export function encodeTicket({ source, producer, sequence, segments, operators }: Ticket): string {
  const packed: PackedTicket = [
    VERSION,
    source,
    producer,
    sequence,
    segments,
    operators.map(({ name, shards }) => [name, shards.map(toBitmap)]),
  ];
  // Names are ASCII: the plan has seen to it.
  return btoa(JSON.stringify(packed)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/**
 * What a text says that claims to be a ticket; undefined when it is none. Anyone can write one: all that is certain is
 * its form, so look its names up in the plan.
 */
export function decodeTicket(text: string): Ticket | undefined {
  if (text.length > MAX_TEXT || !/^[\w-]+$/.test(text)) return undefined;
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(binary, (char) => char.charCodeAt(0));
    return unpack(JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)));
  } catch {
    return undefined;
  }
}

function unpack(value: unknown): Ticket | undefined {
  if (!Array.isArray(value) || value.length !== 6 || value[0] !== VERSION) return undefined;
  const [, source, producer, sequence, segments, operators] = value as unknown[];
  if (typeof source !== "string" || typeof producer !== "string" || !/^[0-9a-f]{32}$/.test(producer))
    return undefined;
  if (!isCount(sequence) || !isCount(segments) || segments < 1 || segments > MAX_SEGMENTS) return undefined;
  if (!Number.isSafeInteger(sequence + segments)) return undefined;
  if (!Array.isArray(operators) || operators.length > MAX_OPERATORS) return undefined;
  const unpacked = operators.map((operator) => unpackOperator(operator, segments));
  if (unpacked.includes(undefined)) return undefined;
  return { source, producer, sequence, segments, operators: unpacked as TicketOperator[] };
}

function unpackOperator(value: unknown, segments: number): TicketOperator | undefined {
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const [name, bitmaps] = value as unknown[];
  if (typeof name !== "string" || !Array.isArray(bitmaps) || bitmaps.length !== segments) return undefined;
  if (!bitmaps.every((bitmap) => typeof bitmap === "string" && /^[0-9a-f]{1,64}$/.test(bitmap)))
    return undefined;
  return { name, shards: (bitmaps as string[]).map(fromBitmap) };
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function toBitmap(shards: readonly number[]): string {
  // By digits: every request makes some of these, and a BigInt for each shard takes longer than all the rest of a ticket.
  const digits = new Array<number>(1 + ((shards.at(-1) ?? 0) >> 2)).fill(0);
  for (const shard of shards) digits[shard >> 2] = (digits[shard >> 2] as number) | (1 << (shard & 3));
  return digits.reduceRight((text, digit) => text + digit.toString(16), "");
}

function fromBitmap(bitmap: string): number[] {
  const bits = BigInt(`0x${bitmap}`);
  return Array.from({ length: MAX_SHARDS }, (_, shard) => shard).filter(
    (shard) => (bits >> BigInt(shard)) & 1n,
  );
}
