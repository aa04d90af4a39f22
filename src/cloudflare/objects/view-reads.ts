/** View reads: what a shard answers about its view, and to a feed about itself, by the name of the question. */
import { readKey, readRange, readStats, readTop, readTotals } from "../../engine/shard/reader.ts";
import type { Shard } from "../../engine/shard/shard.ts";
import { readWindows, readWindowTops } from "../../engine/shard/window-reader.ts";
import { messageOf } from "../../errors.ts";
import type { FeedQuestion, ShardAnswer, ShardRead } from "../rpc.ts";

export const viewReads = {
  get: (shard: Shard, key: string) => readKey(shard, key) ?? null,
  top: readTop,
  range: readRange,
  totals: readTotals,
  windows: readWindows,
  windowTops: readWindowTops,
  stats: readStats,
} satisfies { readonly [Read in ShardRead]: (shard: Shard, ...question: never[]) => unknown };

/**
 * Answers all of them in one turn: they are of the same moment. One that fails fails no other.
 *
 * @param again whether the feed is to look again.
 * @param guarded runs a read on the shard.
 */
export function answersTo(
  questions: readonly FeedQuestion[],
  again: boolean,
  guarded: (read: (shard: Shard) => unknown) => unknown,
): ShardAnswer[] {
  return questions.map(([name, ...question]) => {
    if (name === "again") return { value: again };
    const read = viewReads[name] as (shard: Shard, ...question: unknown[]) => unknown;
    try {
      return { value: guarded((shard) => read(shard, ...question)) };
    } catch (error) {
      return { error: messageOf(error) };
    }
  });
}
