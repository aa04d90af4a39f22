/** The RPC contracts between the Workers and the Durable Objects; plain data, so that both ends may differ by a deploy. */
import type { ErasureReport } from "../engine/erasure/erasure.ts";
import type { BuriedMessage } from "../engine/operator-executor.ts";
import type { SegmentId } from "../engine/segment.ts";
import type { ShardIdentity } from "../engine/shard/identity.ts";
import type {
  AdvanceCall,
  AdvanceReply,
  DeadLetter,
  EraseMarks,
  Forgotten,
  ShardCall,
  ShardReply,
  ShardStats,
  ViewEntry,
  Wiped,
} from "../engine/shard/protocol.ts";
import type { Totals } from "../engine/shard/reader.ts";
import type { SegmentOutcome } from "../engine/shard/recent-segments.ts";
import type { WindowRange, WindowViewEntry } from "../engine/shard/window-reader.ts";
import type { StageProgress } from "../engine/stage-executor.ts";
import type { Usages } from "../engine/usage.ts";
import type {
  Admission,
  Admitted,
  CommitReport,
  HoldReport,
  Want,
  WatermarkStatus,
} from "../engine/watermark/protocol.ts";

/** What a shard answers and does not change by. */
export interface ShardReads {
  /** The entry of a key, or null if it was never seen. */
  get(key: string): Promise<ViewEntry | null>;
  /** By value, descending, ties by key. */
  top(limit: number): Promise<ViewEntry[]>;
  /** In key order, after `after` (exclusive). */
  range(range: { prefix?: string; after?: string; limit: number }): Promise<ViewEntry[]>;
  totals(): Promise<Totals>;
  /** Of a view of windows. */
  windows(range: WindowRange): Promise<WindowViewEntry[]>;
  windowTops(range: WindowRange & { readonly top: number }): Promise<WindowViewEntry[]>;
  /**
   * Answers what a feed asks at one moment, at the price of one call; it need not be told of what it sees.
   *
   * @param asks whether it would look again by itself. Then there is one more answer, the last: whether it is to. If so the shard
   * does not tell it of commits until then: they come faster than it looks.
   */
  many(questions: readonly ShardQuestion[], feed: string, asks: boolean): Promise<ShardAnswer[]>;
  /** For each segment, whether this shard has applied it. */
  applied(segments: readonly SegmentId[]): Promise<boolean[]>;
  /** The same, with when it was and what came of it in place of `true`, as long as the shard remembers that. */
  outcomes(segments: readonly SegmentId[]): Promise<(SegmentOutcome | boolean)[]>;
  stats(): Promise<ShardStats>;
  /** Dead letters of this shard with a number above `after`, by number. */
  deadLetters(after: number, limit: number): Promise<NumberedDeadLetter[]>;
}

/** With each read may come what the reader has used, which the shard stores with its next commit; and which feed it is. */
type ToldReads = {
  [Read in keyof ShardReads]: (
    ...args: [...Parameters<ShardReads[Read]>, used?: Usages, feed?: string]
  ) => ReturnType<ShardReads[Read]>;
};

/** A part of a stateful operator's keys. Named `{generation}/{operator}/{shard}`. */
export interface ShardRpc extends ToldReads {
  /**
   * Applies a ShardCall, given as JSON without its contents, and these beside it: strings pass through an RPC at the
   * price of their bytes, where lists of small things cost several times as much.
   */
  apply(call: string, contents: readonly (string | null)[]): Promise<ShardReply>;
  /** Moves the watermark on, and fires what is due. */
  advance(call: AdvanceCall): Promise<AdvanceReply>;
  /** Of a stage: for each segment, the positions whose outcome is committed, or `all`. */
  progress(segments: readonly SegmentId[]): Promise<StageProgress[]>;
  /** Does whatever is due; starts a pull source. Idempotent. */
  wake(): Promise<void>;
  /** From now on a feed is told of commits (`FeedRpc.changed`), until it says that nobody watches. Idempotent. */
  watch(watch: Watch): Promise<void>;
  /** Sends dead letters again under their own identity. @returns how many were sent. */
  redrive(numbers: readonly number[]): Promise<number>;
  /** Takes out a key and its dead letters. @param released also letters that are being sent again. */
  forget(key: string, released: boolean): Promise<Forgotten>;
  /** Wipes what was taken out from storage. @param marks from the answer before, if that was to wait. */
  wipe(marks?: EraseMarks): Promise<Wiped>;
}

/** The reads of a view. */
export type ShardRead = "get" | "top" | "range" | "totals" | "windows" | "windowTops";

/** A read of a view: what `ShardRpc` takes under this name. */
export type ShardQuestion = {
  [Read in ShardRead]: readonly [read: Read, ...Parameters<ShardReads[Read]>];
}[ShardRead];

export type ShardAnswer = { readonly value: unknown } | { readonly error: string };

export const WATCH_VERSION = 1;

export interface Watch {
  readonly v: number;
  /** The name of the feed. */
  readonly feed: string;
}

/** A WebSocket as a Worker gets it from an object: nothing comes out of it before it is accepted. */
export interface FeedSocket {
  accept(): void;
  close(): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: "close" | "error", listener: () => void): void;
}

/** With a socket, or a problem that says why there is none. */
export type FeedAnswer = Response & { readonly webSocket?: FeedSocket | null };

/** What all viewers of a view, or of the health, are told. Its `fetch` takes WebSockets. Named by `feedName`. */
export interface FeedRpc {
  fetch(url: string, init: { headers: Record<string, string> }): Promise<FeedAnswer>;
  /** A shard has committed. @returns how often the feed looks at most, ms; null when nobody watches any more. */
  changed(change: { readonly v: number }): Promise<number | null>;
}

/** The watermarks of a job. Named `{generation}/{job}`. See Coordinator. */
export interface CoordinatorRpc {
  holds(report: HoldReport): Promise<void>;
  committed(report: CommitReport): Promise<void>;
  admit(admission: Admission): Promise<Admitted>;
  want(want: Want): Promise<void>;
  status(): Promise<WatermarkStatus>;
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
  admit(key: string, body: string): Promise<KeyAdmission>;
}

/** `fresh` when the key is new, and so is a row. */
export type KeyAdmission =
  | { readonly conflict: false; readonly id: SegmentId; readonly fresh?: true }
  | { readonly conflict: true };

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

/** Keys that are being erased, and the reports of those that were. One object, named `erasures`. */
export interface ErasuresRpc {
  start(view: string, key: string): Promise<ErasureReport>;
  /** Null when there is no such erasure. */
  report(id: string): Promise<ErasureReport | null>;
}

/** What the adapters need of a Durable Object namespace: `env.SHARD` and the like fit it. */
export interface Namespace<Rpc> {
  getByName(name: string): Rpc;
}

/** The names of all shards of an operator, in their order. */
export function shardNames(
  generation: number,
  { name, shards }: { readonly name: string; readonly shards: number },
): string[] {
  return Array.from({ length: shards }, (_, shard) => shardName(generation, name, shard));
}

export function shardName(generation: number, operator: string, shard: number): string {
  return `${generation}/${operator}/${shard}`;
}

/** Whether a call failed since the object at the other end, of an older deploy, has no such method. As the runtime words it. */
export function isUnknownMethod(error: unknown): boolean {
  return error instanceof TypeError && error.message.includes("RPC receiver does not implement");
}

/** Applies a call at its shard. */
export function callShard(
  shards: Namespace<Pick<ShardRpc, "apply">>,
  { segments, ...call }: ShardCall,
): Promise<ShardReply> {
  const header = { ...call, segments: segments.map((segment) => ({ ...segment, content: null })) };
  return shards.getByName(shardName(call.generation, call.operator, call.shard)).apply(
    JSON.stringify(header),
    segments.map(({ content }) => content),
  );
}

/** Tells a shard of a watermark. */
export function advanceShard(
  shards: Namespace<Pick<ShardRpc, "advance">>,
  call: AdvanceCall,
): Promise<AdvanceReply> {
  return shards.getByName(shardName(call.generation, call.operator, call.shard)).advance(call);
}

export function coordinatorName(generation: number, job: string): string {
  return `${generation}/${job}`;
}

/** The call that `callShard` was given. */
export function joinCall(header: string, contents: readonly (string | null)[]): ShardCall {
  const call = JSON.parse(header) as ShardCall & { segments: { content: string | null }[] };
  // Nobody else has what was parsed here: it need not be copied.
  for (let n = 0; n < call.segments.length; n++) {
    const segment = call.segments[n];
    if (segment !== undefined) segment.content = contents[n] ?? null;
  }
  return call;
}

/** @param view undefined for the feed of the health. */
export function feedName(generation: number, view?: string): string {
  return view === undefined ? `${generation}/health` : `${generation}/view/${view}`;
}

export const GATES = 16;

export function gateName(source: string, gate: number): string {
  return `${source}/${gate}`;
}

export const GRAVEYARD_NAME = "messages";
export const REGISTRY_NAME = "operators";
export const ERASURES_NAME = "erasures";
