/** The RPC contracts between the Workers and the Durable Objects; plain data, so that both ends may differ by a deploy. */
import type { BuriedMessage } from "../engine/operator-executor.ts";
import type { SegmentId } from "../engine/segment.ts";
import type { ShardIdentity } from "../engine/shard/identity.ts";
import type { DeadLetter, ShardReply, ShardStats, ViewEntry } from "../engine/shard/protocol.ts";
import type { Totals } from "../engine/shard/reader.ts";

/** A part of a stateful operator's keys. Named `{generation}/{operator}/{shard}`. */
export interface ShardRpc {
  /**
   * Applies a ShardCall, given as JSON without its contents, and these beside it: strings pass through an RPC at the
   * price of their bytes, where lists of small things cost several times as much.
   */
  apply(call: string, contents: readonly (string | null)[]): Promise<ShardReply>;
  /** The entry of a key, or null if it was never seen. */
  get(key: string): Promise<ViewEntry | null>;
  /** By value, descending, ties by key. */
  top(limit: number): Promise<ViewEntry[]>;
  /** In key order, after `after` (exclusive). */
  range(range: { prefix?: string; after?: string; limit: number }): Promise<ViewEntry[]>;
  totals(): Promise<Totals>;
  /** For each segment, whether this shard has applied it. */
  applied(segments: readonly SegmentId[]): Promise<boolean[]>;
  stats(): Promise<ShardStats>;
  /** Dead letters of this shard with a number above `after`, by number. */
  deadLetters(after: number, limit: number): Promise<NumberedDeadLetter[]>;
  /** Sends dead letters again under their own identity. @returns how many were sent. */
  redrive(numbers: readonly number[]): Promise<number>;
}

export interface NumberedDeadLetter extends DeadLetter {
  readonly number: number;
}

/** Maps idempotency keys to the identities of segments. Named `{source}/{0…15}`. */
export interface GateRpc {
  /**
   * The identity of the request with this key: the same for 24 hours.
   *
   * @param key hash of credential and idempotency key.
   * @param body hash of the request's body: another body under the same key is a conflict.
   */
  admit(key: string, body: string): Promise<{ conflict: false; id: SegmentId } | { conflict: true }>;
}

/** Which plan may route each segment of one client producer. Named by the producer. */
export interface ClaimsRpc {
  claim(producer: string, fingerprint: string, sequences: readonly number[]): Promise<boolean[]>;
  /** All sequences below it have been claimed. */
  prefix(producer: string): Promise<number>;
}

/** Messages that could not be applied at all. One object, named `messages`. */
export interface GraveyardRpc {
  bury(message: BuriedMessage): Promise<void>;
  list(after: number, limit: number): Promise<BuriedEntry[]>;
  count(): Promise<number>;
  /** Sends messages again as they were. @returns how many were sent. */
  redrive(numbers: readonly number[]): Promise<number>;
}

export interface BuriedEntry extends BuriedMessage {
  readonly number: number;
  /** When it was buried, epoch milliseconds. */
  readonly time: number;
}

/** Which operators exist, with how many shards and what state. One object, named `operators`. */
export interface RegistryRpc {
  /** A shard asks once, before it first writes. @returns null, or why it may not. */
  register(identity: ShardIdentity): Promise<string | null>;
}

/** What the adapters need of a Durable Object namespace: `env.SHARD` and the like fit it. */
export interface Namespace<Rpc> {
  getByName(name: string): Rpc;
}

export function shardName(generation: number, operator: string, shard: number): string {
  return `${generation}/${operator}/${shard}`;
}

export const GATES = 16;

export function gateName(source: string, gate: number): string {
  return `${source}/${gate}`;
}

export const GRAVEYARD_NAME = "messages";
export const REGISTRY_NAME = "operators";
