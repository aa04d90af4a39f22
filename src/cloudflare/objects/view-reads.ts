/** View reads: what a shard answers about its view, by the name of the question. */
import { readKey, readRange, readTop, readTotals } from "../../engine/shard/reader.ts";
import type { Shard } from "../../engine/shard/shard.ts";
import { readWindows, readWindowTops } from "../../engine/shard/window-reader.ts";
import { messageOf } from "../../errors.ts";
import type { ShardAnswer, ShardQuestion, ShardRead } from "../rpc.ts";

export const viewReads = {
  get: (shard: Shard, key: string) => readKey(shard, key) ?? null,
  top: readTop,
  range: readRange,
  totals: readTotals,
  windows: readWindows,
  windowTops: readWindowTops,
} satisfies { readonly [Read in ShardRead]: (shard: Shard, ...question: never[]) => unknown };

/**
 * Answers all of them in one turn: they are of the same moment. One that fails fails no other.
 *
 * @param guarded runs a read on the shard.
 */
export function answersTo(
  questions: readonly ShardQuestion[],
  guarded: (read: (shard: Shard) => unknown) => unknown,
): ShardAnswer[] {
  return questions.map(([name, ...question]) => {
    const read = viewReads[name] as (shard: Shard, ...question: unknown[]) => unknown;
    try {
      return { value: guarded((shard) => read(shard, ...question)) };
    } catch (error) {
      return { error: messageOf(error) };
    }
  });
}
