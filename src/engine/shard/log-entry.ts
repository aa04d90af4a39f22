/** Log entry: what one commit writes, as bytes. Fields are only ever appended. */
import { StateError } from "../../errors.ts";
import type { Changes } from "../../state/keyed-state.ts";
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
  /** Of the events that it holds for this shard. */
  readonly late: number;
  readonly dead: number;
}

export interface LogContent {
  readonly segments: readonly LoggedSegment[];
  readonly changes: Changes;
  readonly counters: ShardCounters;
  /** Entries of the timer index, as changes. */
  readonly timers: Changes;
  readonly outputs: readonly OutboxEntry[];
  /** When it was committed, epoch milliseconds; undefined in what was written before entries said so. */
  readonly time: number | undefined;
}

type PackedSegment = [
  producer: string,
  sequence: number,
  kind: number,
  source: string,
  arrival: number,
  counted: number,
  settled: number,
  open?: 0 | 1,
  late?: number,
  dead?: number,
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
  time?: number,
];

export function encodeEntry(content: LogContent): Uint8Array {
  const { segments, changes, counters, timers, outputs, time } = content;
  const packed: PackedEntry = [ENTRY_FORMAT, segments.map(packSegment), changes, counters];
  if (timers.length > 0 || outputs.length > 0 || time !== undefined) {
    packed.push(timers, outputs.map(packOutput));
  }
  if (time !== undefined) packed.push(time);
  return encoder.encode(JSON.stringify(packed));
}

/** @throws StateError when the entry is of a format that this code does not know. */
export function decodeEntry(data: Uint8Array): LogContent {
  const [format, segments, changes, counters, timers = [], outputs = [], time] = JSON.parse(
    decoder.decode(data),
  ) as PackedEntry;
  if (format !== ENTRY_FORMAT)
    throw new StateError(`a log entry of format ${format}; this code knows ${ENTRY_FORMAT}`);
  return {
    segments: segments.map(unpackSegment),
    changes,
    counters,
    timers,
    outputs: outputs.map(unpackOutput),
    time,
  };
}

/** Hardly anything is late or dead: what says so is left away where there is none. */
function packSegment(s: LoggedSegment): PackedSegment {
  const fields = [s.producer, s.sequence, s.kind, s.source, s.arrival, s.counted, s.settled] as const;
  if (s.late + s.dead > 0) return [...fields, s.open ? 1 : 0, s.late, s.dead];
  return s.open ? [...fields, 1] : [...fields];
}

function unpackSegment(packed: PackedSegment): LoggedSegment {
  const [producer, sequence, kind, source, arrival, counted, settled, open, late = 0, dead = 0] = packed;
  return { producer, sequence, kind, source, arrival, counted, settled, open: open === 1, late, dead };
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
