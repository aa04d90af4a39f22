/** Skew: how unevenly an operator's shards are loaded. */
import type { Health } from "../api/types.ts";

export type ShardHealth = Health["operators"][number]["shards"][number];
export type LiveShard = Exclude<ShardHealth, { error: string }>;

export interface Skew {
  /** The largest share against the mean: 1 is even, the number of shards is all on one. */
  readonly factor: number;
  readonly largest: number;
}

export function isLive(shard: ShardHealth): shard is LiveShard {
  return !("error" in shard);
}

/** Undefined where there is nothing to compare: one shard, or no event yet. */
export function skewOf(shards: readonly ShardHealth[]): Skew | undefined {
  const applied = shards.filter(isLive).map((shard) => shard.applied);
  const total = applied.reduce((sum, one) => sum + one, 0);
  if (applied.length < 2 || total === 0) return undefined;
  const largest = Math.max(...applied);
  return { largest, factor: largest / (total / applied.length) };
}

/** Each shard's share of the largest, 0 to 1; a shard that does not answer has none. */
export function sharesOf(shards: readonly ShardHealth[]): (number | undefined)[] {
  const largest = Math.max(0, ...shards.filter(isLive).map(({ applied }) => applied));
  return shards.map((shard) => {
    if (!isLive(shard)) return undefined;
    return largest === 0 ? 0 : shard.applied / largest;
  });
}
