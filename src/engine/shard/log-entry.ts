/** Log entry: what one commit writes, as bytes. Fields are only ever appended. */
import { StateError } from "../../errors.ts";
import type { SegmentId } from "../segment.ts";
import type { ShardCounters } from "./counters.ts";
import type { OutboxEntry } from "./outbox.ts";

const ENTRY_FORMAT = 1;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A segment as the log remembers it. */
export interface LoggedSegment extends SegmentId {
  readonly kind: number;
  readonly source: string;
  readonly arrival: number;
  /** The producer's count of accepted events after this segment. */
  readonly counted: number;
  /** How many of the producer's events this shard has accounted for after this segment. */
  readonly settled: number;
  /** Only a part of it is applied: more will come under its name. */
  readonly open: boolean;
}

/** `key, value` in turns; the value null takes the key away. */
export type Changes = readonly unknown[];

export interface LogContent {
  readonly segments: readonly LoggedSegment[];
  readonly changes: Changes;
  readonly counters: ShardCounters;
  /** Entries of the timer index, as changes. */
  readonly timers: Changes;
  readonly outputs: readonly OutboxEntry[];
}

type PackedSegment = [
  producer: string,
  sequence: number,
  kind: number,
  source: string,
  arrival: number,
  counted: number,
  settled: number,
  open?: 1,
];
type PackedOutput = [
  destination: string,
  sequence: number,
  arrival: number,
  events: number,
  before: number,
  content: string,
  time?: number,
];
type PackedEntry = [
  format: number,
  segments: PackedSegment[],
  changes: Changes,
  counters: ShardCounters,
  timers?: Changes,
  outputs?: PackedOutput[],
];

export function encodeEntry({ segments, changes, counters, timers, outputs }: LogContent): Uint8Array {
  const packed: PackedEntry = [
    ENTRY_FORMAT,
    segments.map((s): PackedSegment => {
      const fields = [s.producer, s.sequence, s.kind, s.source, s.arrival, s.counted, s.settled] as const;
      return s.open ? [...fields, 1] : [...fields];
    }),
    changes,
    counters,
  ];
  if (timers.length > 0 || outputs.length > 0) packed.push(timers, outputs.map(packOutput));
  return encoder.encode(JSON.stringify(packed));
}

/** @throws StateError when the entry is of a format that this code does not know. */
export function decodeEntry(data: Uint8Array): LogContent {
  const [format, segments, changes, counters, timers = [], outputs = []] = JSON.parse(
    decoder.decode(data),
  ) as PackedEntry;
  if (format !== ENTRY_FORMAT)
    throw new StateError(`a log entry of format ${format}; this code knows ${ENTRY_FORMAT}`);
  return {
    segments: segments.map(([producer, sequence, kind, source, arrival, counted, settled, open]) => ({
      producer,
      sequence,
      kind,
      source,
      arrival,
      counted,
      settled,
      open: open === 1,
    })),
    changes,
    counters,
    timers,
    outputs: outputs.map(unpackOutput),
  };
}

export function packOutput(o: OutboxEntry): PackedOutput {
  const fields = [o.destination, o.sequence, o.arrival, o.events, o.before, o.content] as const;
  return o.time === undefined ? [...fields] : [...fields, o.time];
}

export function unpackOutput(packed: PackedOutput): OutboxEntry {
  const [destination, sequence, arrival, events, before, content, time] = packed;
  return {
    ...{ destination, sequence, arrival, events, before, content },
    ...(time === undefined ? {} : { time }),
  };
}

export function pairsOf(changes: Changes): [key: string, value: unknown][] {
  const pairs: [string, unknown][] = [];
  for (let at = 0; at < changes.length; at += 2) pairs.push([changes[at] as string, changes[at + 1]]);
  return pairs;
}
