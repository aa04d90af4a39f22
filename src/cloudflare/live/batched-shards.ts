/** BatchedShards: shards of which everything that is asked at the same moment goes in one call to each. */
import type { Namespace, ShardAnswer, ShardQuestion, ShardRead, ShardRpc } from "../rpc.ts";

/** The reads that may go together. */
const READS: readonly ShardRead[] = ["get", "top", "range", "totals", "windows", "windowTops"];

interface Waiting {
  readonly question: ShardQuestion;
  readonly settle: (answer: ShardAnswer) => void;
  readonly fail: (error: unknown) => void;
}

export interface Asking {
  /** The name of the feed that asks. */
  readonly feed: string;
  /** Called when a shard wants it to look again, instead of being told of commits. */
  readonly onAgain: () => void;
}

/**
 * A namespace of shards that takes the reads of a view only. A call is a request that is billed, whatever it asks: so a thousand
 * viewers of a thousand keys cost a shard one.
 */
export function batchedShards(shards: Namespace<ShardRpc>, { feed, onAgain }: Asking): Namespace<ShardRpc> {
  const batches = new Map<string, Waiting[]>();
  const ask = (name: string, question: ShardQuestion): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const waiting = batches.get(name) ?? [];
      if (waiting.length === 0) queueMicrotask(() => void send(name, waiting));
      batches.set(name, waiting);
      waiting.push({
        question,
        settle: (answer) => {
          if ("error" in answer) reject(new Error(answer.error));
          else resolve(answer.value);
        },
        fail: reject,
      });
    });

  async function send(name: string, waiting: readonly Waiting[]): Promise<void> {
    batches.delete(name);
    try {
      const questions = waiting.map(({ question }) => question);
      const answers = await shards.getByName(name).many(questions, feed, true);
      const again = answers[questions.length];
      // A shard of an older deploy does not say so, and tells of its commits.
      if (again !== undefined && "value" in again && again.value === true) onAgain();
      waiting.forEach(({ settle }, n) => settle(answers[n] ?? { error: "the shard gave no answer" }));
    } catch (error) {
      for (const { fail } of waiting) fail(error);
    }
  }

  return {
    getByName(name) {
      const reads = READS.map((read) => [
        read,
        (...args: readonly unknown[]) => ask(name, [read, ...args] as unknown as ShardQuestion),
      ]);
      return Object.fromEntries(reads) as ShardRpc;
    },
  };
}
