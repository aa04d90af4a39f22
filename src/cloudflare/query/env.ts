/** What the query Worker is given: its bindings, and what its routes are built from. */
import type { Hono } from "hono";
import type { Clock } from "../../clock.ts";
import type { Plan } from "../../plan.ts";
import type { KeysEnv } from "../http/keys.ts";
import type { CoordinatorRpc, ErasuresRpc, FeedRpc, GraveyardRpc, Namespace, ShardRpc } from "../rpc.ts";

/** Besides these, the queue of each source and stage has a producer binding, found by the name that the plan gives it. */
export interface QueryEnv extends KeysEnv {
  readonly SHARD: Namespace<ShardRpc>;
  readonly GRAVEYARD: Namespace<GraveyardRpc>;
  readonly ERASURES: Namespace<ErasuresRpc>;
  readonly COORDINATOR: Namespace<CoordinatorRpc>;
  readonly FEED: Namespace<FeedRpc>;
  /** The files of the live page; a Worker without them answers a plain page. */
  readonly ASSETS?: { fetch(request: Request): Promise<Response> };
  /** As in the ingest Worker, which refuses by it; here it is only shown. */
  readonly BACKLOG_HIGH_WATER?: string;
}

export interface QueryOptions {
  readonly plan: Plan;
  /** How long a Durable Object or a queue may take to answer, ms; 10,000 by default. */
  readonly patience?: number;
  /** Ages are counted by it. */
  readonly clock?: Clock;
}

/** What each group of routes is built from. */
export interface QueryContext {
  readonly plan: Plan;
  readonly patience: number;
  readonly clock: Clock;
}

export type QueryApp = Hono<{ Bindings: QueryEnv }>;
