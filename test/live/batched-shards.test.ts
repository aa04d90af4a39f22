/** BatchedShards: one call a shard, of this deploy or of the one before. */
import { expect, test } from "vitest";
import type { Asking } from "../../src/cloudflare/live/batched-shards.ts";
import { batchedShards } from "../../src/cloudflare/live/batched-shards.ts";
import type { ShardAnswer, ShardRpc } from "../../src/cloudflare/rpc.ts";

/** Shards that answer with the names of the questions, and then `more`. */
function world(more: readonly ShardAnswer[]) {
  const calls: unknown[][] = [];
  let agains = 0;
  const asking: Asking = {
    feed: "1/view/v",
    onAgain: () => {
      agains++;
    },
  };
  const many: ShardRpc["many"] = async (...args) => {
    calls.push(args);
    return [...args[0].map(([name]) => ({ value: name })), ...more];
  };
  const shards = batchedShards({ getByName: () => ({ many }) as ShardRpc }, asking);
  return { shards, calls, agains: () => agains };
}

test("what is asked at the same moment goes in one call, which asks whether to look again", async () => {
  const { shards, calls, agains } = world([{ value: true }]);
  const shard = shards.getByName("1/v/0");
  expect(await Promise.all([shard.get("/a"), shard.top(3)])).toEqual(["get", "top"]);
  expect(calls).toEqual([
    [
      [
        ["get", "/a"],
        ["top", 3],
      ],
      "1/view/v",
      true,
    ],
  ]);
  expect(agains()).toBe(1);
});

test.each([[[]], [[{ value: false }]], [[{ error: "out of order" }]]])(
  "with %j behind the answers it is not to look again",
  async (more) => {
    const { shards, agains } = world(more);
    expect(await shards.getByName("1/v/0").totals()).toBe("totals");
    expect(agains()).toBe(0);
  },
);
