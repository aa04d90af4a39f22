/** Readers: what they have used goes with the next read of a shard, once, and is not lost when that fails. */
import { expect, test } from "vitest";
import { READERS, readersEnv } from "../../src/cloudflare/readers.ts";
import type { GraveyardRpc, ShardRpc } from "../../src/cloudflare/rpc.ts";
import { UsageLedger } from "../../src/engine/usage.ts";

/** Objects that say what they were asked; whatever is in `down` fails. */
function world(feed?: string) {
  const asked: unknown[][] = [];
  const down = new Set<string>();
  const object = (name: string) =>
    new Proxy(
      {},
      {
        get:
          (_, method: string) =>
          async (...args: unknown[]) => {
            asked.push([name, method, ...args]);
            if (down.has(method)) throw new Error("out of order");
          },
      },
    );
  const ledger = new UsageLedger();
  const env = readersEnv(
    {
      SHARD: { getByName: (name) => object(name) as ShardRpc },
      GRAVEYARD: { getByName: (name) => object(name) as GraveyardRpc },
      OPEN: "yes",
    },
    ledger,
    feed,
  );
  return { asked, down, ledger, env };
}

test("it goes with one read, behind its arguments", async () => {
  const { asked, ledger, env } = world();
  ledger.add(READERS, { requests: 1 });
  ledger.add(READERS, { requests: 1 });
  await Promise.all([env.SHARD.getByName("1/v/0").get("/a"), env.SHARD.getByName("1/v/1").get("/b")]);
  await env.SHARD.getByName("1/v/0").deadLetters(0, 10);
  ledger.add("v", { awake: 12 });
  await env.SHARD.getByName("1/v/0").totals();
  expect(asked).toEqual([
    ["1/v/0", "get", "/a", { [READERS]: { requests: 2 } }],
    ["1/v/1", "get", "/b"],
    ["1/v/0", "deadLetters", 0, 10],
    ["1/v/0", "totals", { v: { awake: 12 } }],
  ]);
  expect(env.OPEN).toBe("yes");
});

test("a feed says which it is, behind what it has used, if anything", async () => {
  const { asked, ledger, env } = world("1/health");
  await env.SHARD.getByName("1/v/0").stats();
  ledger.add(READERS, { awake: 3 });
  await env.SHARD.getByName("1/v/0").stats();
  expect(asked).toEqual([
    ["1/v/0", "stats", undefined, "1/health"],
    ["1/v/0", "stats", { [READERS]: { awake: 3 } }, "1/health"],
  ]);
});

test("a call that changes something is made as it is", async () => {
  const { asked, ledger, env } = world();
  ledger.add(READERS, { requests: 1 });
  await env.SHARD.getByName("1/v/0").redrive([3]);
  await env.SHARD.getByName("1/v/0").wipe();
  expect(asked).toEqual([
    ["1/v/0", "redrive", [3]],
    ["1/v/0", "wipe"],
  ]);
});

test("what a read that failed had with it goes with the next one", async () => {
  const { asked, down, ledger, env } = world();
  ledger.add(READERS, { requests: 1 });
  down.add("get");
  await expect(env.SHARD.getByName("1/v/0").get("/a")).rejects.toThrow("out of order");
  ledger.add(READERS, { requests: 1 });
  await env.SHARD.getByName("1/v/0").stats();
  expect(asked.at(-1)).toEqual(["1/v/0", "stats", { [READERS]: { requests: 2 } }]);
});

test("a question to the buried messages is a read of an object that does not count itself", async () => {
  const { asked, env } = world();
  await env.GRAVEYARD.getByName("messages").count();
  await env.SHARD.getByName("1/v/0").stats();
  expect(asked).toEqual([
    ["messages", "count"],
    ["1/v/0", "stats", { [READERS]: { reads: 1 } }],
  ]);
});
