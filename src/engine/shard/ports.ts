/** Ports: how a shard reaches what is outside it; RPC and queues on Workers, function calls in memory. */
import type { StagePlan } from "../../plan.ts";
import type { EventQueue } from "../event-queue.ts";
import type { ShardCall, ShardReply } from "./protocol.ts";

export interface ShardPorts {
  /** Applies a call at another shard. */
  apply(call: ShardCall): Promise<ShardReply>;
  /** Tells the coordinator of a job that a shard has a timer in event time. */
  want(job: string, operator: string, shard: number, at: number): Promise<void>;
  /** The queue of a stage. */
  queue(stage: StagePlan): EventQueue;
  /** What sinks may use: bindings and secrets. */
  readonly env: Readonly<Record<string, unknown>>;
  /** Told of each failure, for the log. */
  onError?(error: unknown, about: string): void;
}
