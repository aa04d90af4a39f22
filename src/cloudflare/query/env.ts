/** What the query Worker is given: its bindings, and what its routes are built from. */
import type { Hono } from "hono";
import type { Plan } from "../../plan.ts";
import type { KeysEnv } from "../http/keys.ts";
import type { GraveyardRpc, Namespace, ShardRpc } from "../rpc.ts";

/** Besides these, each source's queue has a producer binding, found by the name that the plan gives it. */
export interface QueryEnv extends KeysEnv {
  readonly SHARD: Namespace<ShardRpc>;
  readonly GRAVEYARD: Namespace<GraveyardRpc>;
}

export interface QueryOptions {
  readonly plan: Plan;
  /** How long a Durable Object or a queue may take to answer, ms; 10,000 by default. */
  readonly patience?: number;
}

/** What each group of routes is built from. */
export interface QueryContext {
  readonly plan: Plan;
  readonly patience: number;
}

export type QueryApp = Hono<{ Bindings: QueryEnv }>;
