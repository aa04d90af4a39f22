/** Counters: what a shard knows in a few numbers; every log entry holds them whole. */
import type { Usages } from "../usage.ts";
import type { FlowCounters } from "./protocol.ts";

export interface ShardCounters {
  commits: number;
  keys: number;
  /** Sum of the results, where they are numbers. */
  total: number;
  /** The accumulator of the keys beyond the view's limit, and how many events went there. */
  overflow: unknown;
  overflowEvents: number;
  nextDeadLetter: number;
  flows: Record<string, FlowCounters>;
  /** Epoch milliseconds; absent before the first. */
  watermark?: number;
  /** What was emitted, by destination; absent where nothing ever was. */
  channels?: Record<string, ChannelCounters>;
  sink?: SinkCounters;
  /** What the platform bills for; absent in what was written before it was counted. */
  used?: Usages;
}

/** The numbering of what goes from this shard to one other, `{operator}/{shard}`. */
export interface ChannelCounters {
  /** Segments so far: the next one's sequence. */
  next: number;
  /** Events in them. */
  events: number;
  /** The destination has committed all segments below it, as far as this shard knows. */
  confirmed: number;
}

/** The buffer of a sink's shard. Events are numbered 1, 2, 3, … */
export interface SinkCounters {
  /** The first event that is not delivered, and the last that came. */
  first: number;
  last: number;
  /** Of the buffered events as JSON, about. */
  bytes: number;
  /** When the first event that is in no batch yet came, epoch milliseconds; 0 when there is none. */
  opened: number;
  /** Batches so far. */
  batches: number;
  /** The batch that is fixed and not known to be written. */
  batch?: SinkBatchCounters;
  delivered: number;
}

export interface SinkBatchCounters {
  readonly number: number;
  /** Its last event. */
  readonly upTo: number;
  readonly bytes: number;
  readonly opened: number;
}

export function emptyCounters(): ShardCounters {
  return { commits: 0, keys: 0, total: 0, overflow: null, overflowEvents: 0, nextDeadLetter: 1, flows: {} };
}

/** Up to where everything has come, in event time; −1 before anything is known. */
export function watermarkOf({ watermark = -1 }: Readonly<ShardCounters>): number {
  return watermark;
}

export function flowOf(counters: ShardCounters, source: string): FlowCounters {
  const { flows } = counters;
  if (!Object.hasOwn(flows, source)) flows[source] = { applied: 0, late: 0, dead: 0, duplicates: 0 };
  return flows[source] as FlowCounters;
}

export function channelOf(counters: ShardCounters, destination: string): ChannelCounters {
  counters.channels ??= {};
  const { channels } = counters;
  if (!Object.hasOwn(channels, destination)) channels[destination] = { next: 0, events: 0, confirmed: 0 };
  return channels[destination] as ChannelCounters;
}

export function sinkOf(counters: ShardCounters): SinkCounters {
  counters.sink ??= { first: 1, last: 0, bytes: 0, opened: 0, batches: 0, delivered: 0 };
  return counters.sink;
}
