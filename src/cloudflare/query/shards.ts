/** Shards: asks the Durable Objects that hold an operator's keys, one or all of them at once. */
import type { OperatorPlan } from "../../plan.ts";
import { attempted } from "../attempt.ts";
import { Problem } from "../http/problem.ts";
import type { GraveyardRpc, ShardRpc } from "../rpc.ts";
import { GRAVEYARD_NAME, shardName } from "../rpc.ts";
import type { QueryContext, QueryEnv } from "./env.ts";

/** Seconds after which it is worth asking again: an object restarts, or a deploy settles, in less. */
const RETRY_AFTER = 5;

/** What reading shards takes. */
export type ShardsEnv = Pick<QueryEnv, "SHARD">;

export type Question<T> = (shard: ShardRpc) => Promise<T>;

/**
 * Asks one shard.
 *
 * @throws Problem 503 that names the operator and the shard, when it refuses, fails or does not answer in time.
 */
export async function ask<T>(
  env: ShardsEnv,
  { plan, patience }: QueryContext,
  operator: OperatorPlan,
  shard: number,
  question: Question<T>,
): Promise<T> {
  const name = shardName(plan.generation, operator.name, shard);
  const attempt = await attempted(patience, () => question(env.SHARD.getByName(name)));
  if ("answer" in attempt) return attempt.answer;
  throw unavailable(`operator ${operator.name}, shard ${shard}: ${attempt.error}`);
}

/** Asks all shards of an operator; the answers are in the order of the shards. @throws Problem like `ask`. */
export async function askAll<T>(
  env: ShardsEnv,
  context: QueryContext,
  operator: OperatorPlan,
  question: Question<T>,
): Promise<T[]> {
  const shards = Array.from({ length: operator.shards }, (_, shard) => shard);
  return Promise.all(shards.map((shard) => ask(env, context, operator, shard, question)));
}

/** Asks the object that keeps the messages that could not be applied at all. @throws Problem 503. */
export async function askGraveyard<T>(
  env: QueryEnv,
  { patience }: QueryContext,
  question: (graveyard: GraveyardRpc) => Promise<T>,
): Promise<T> {
  const attempt = await attempted(patience, () => question(env.GRAVEYARD.getByName(GRAVEYARD_NAME)));
  if ("answer" in attempt) return attempt.answer;
  throw unavailable(`buried messages: ${attempt.error}`);
}

function unavailable(what: string): Problem {
  return new Problem(503, `${what}; try again`, {}, { "retry-after": String(RETRY_AFTER) });
}
