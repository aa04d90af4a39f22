/**
 * Readers: what those who read use besides what shards count themselves, and how it comes to be stored.
 *
 * A reader stores nothing. So it says what it has used with whatever it asks a shard next, and the shard stores that with its
 * next commit.
 */
import type { UsageLedger, Usages } from "../engine/usage.ts";
import { ONE_READ } from "../engine/usage.ts";
import type { GraveyardRpc, Namespace, ShardReads, ShardRpc } from "./rpc.ts";

/** Whose it is where it is no view's. Nothing in a plan may have such a name. */
export const READERS = "(query)";

/** What `used` goes with, behind arguments of its own: all of these are always given. */
const READS: Readonly<Record<keyof ShardReads, true>> = {
  ...{ get: true, top: true, range: true, totals: true, windows: true, windowTops: true, many: true },
  ...{ applied: true, outcomes: true, stats: true, deadLetters: true },
};

type Methods = Readonly<Record<string, (...args: readonly unknown[]) => Promise<unknown>>>;

export interface ReadersEnv {
  readonly SHARD: Namespace<ShardRpc>;
  readonly GRAVEYARD: Namespace<GraveyardRpc>;
}

/**
 * The same bindings, with which shards hear what is in `ledger`; and in it, what is asked of an object that does not count.
 *
 * @param feed the name of the one that reads, so that shards know what it has seen.
 */
export function readersEnv<Env extends ReadersEnv>(env: Env, ledger: UsageLedger, feed?: string): Env {
  return {
    ...env,
    SHARD: tellingShards(env.SHARD, ledger, feed),
    GRAVEYARD: {
      getByName(name: string) {
        ledger.add(READERS, ONE_READ);
        return env.GRAVEYARD.getByName(name);
      },
    },
  };
}

/** Shards that are told what is in `ledger` by the next read of any of them; by another one if that fails. */
function tellingShards(
  shards: Namespace<ShardRpc>,
  ledger: UsageLedger,
  feed: string | undefined,
): Namespace<ShardRpc> {
  const toldWith = (used: Usages | undefined) => {
    if (feed !== undefined) return [used, feed];
    return used === undefined ? [] : [used];
  };
  return {
    getByName(name) {
      const shard = shards.getByName(name);
      return new Proxy(shard, {
        get(_, method: string) {
          const call = (...args: readonly unknown[]) => (shard as unknown as Methods)[method]?.(...args);
          if (!Object.hasOwn(READS, method)) return call;
          return (...args: readonly unknown[]) =>
            ledger.handOver(async (used) => call(...args, ...toldWith(used)));
        },
      });
    },
  };
}
