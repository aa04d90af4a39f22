/** How hard a node is pressed, and how unevenly its shards are loaded. */
import { describe, expect, test } from "vitest";
import type { QueueHealth } from "../../../workers/dashboard/graph/pressure.ts";
import { fillOf, pressureOf, worst } from "../../../workers/dashboard/graph/pressure.ts";
import type { ShardHealth } from "../../../workers/dashboard/graph/skew.ts";
import { sharesOf, skewOf } from "../../../workers/dashboard/graph/skew.ts";

function queue(messages: number | null, highWater = 10): QueueHealth {
  return {
    queue: "millrace-slow",
    kind: "stage",
    name: "slow",
    backlog: messages === null ? null : { messages, bytes: messages * 100 },
    oldestMessageAgeMs: messages ? 1_000 : null,
    highWater,
    over: messages === null ? null : messages >= highWater,
  };
}

function shard(shard: number, applied: number, busy = false): ShardHealth {
  const outbox = { segments: 0, bytes: 0, oldestAgeMs: null };
  return { shard, applied, keys: 1, lsn: 1, checkpointLsn: 0, busy, outbox };
}

const silent: ShardHealth = { shard: 9, error: "no answer" };

describe("pressure", () => {
  test.each([
    ["ok", {}],
    ["ok", { queue: queue(0) }],
    ["ok", { queue: queue(4) }],
    ["ok", { queue: queue(null) }],
    ["filling", { queue: queue(5) }],
    ["filling", { queue: queue(9) }],
    ["over", { queue: queue(10) }],
    ["over", { queue: queue(0, 0) }],
    ["over", { refusing: true }],
    ["ok", { shards: [shard(0, 5), shard(1, 5)] }],
    ["busy", { shards: [shard(0, 5), shard(1, 5, true)] }],
    ["busy", { shards: [shard(0, 5, true)], queue: queue(5) }],
    ["over", { shards: [shard(0, 5, true)], queue: queue(10) }],
    ["silent", { shards: [shard(0, 5, true), silent], queue: queue(10) }],
  ])("is %s for %j", (level, pressed) => {
    expect(pressureOf(pressed).level).toBe(level);
  });

  test("says why, in words", () => {
    expect(pressureOf({ queue: queue(12) }).reason).toBe(
      "12 messages wait in its queue, whose mark is 10, so sources refuse (429).",
    );
    expect(pressureOf({ shards: [shard(0, 1, true), shard(1, 1)] }).reason).toMatch(
      /^1 of 2 shards takes nothing/,
    );
    expect(pressureOf({ shards: [silent] }).reason).toBe("1 of 1 shards does not answer.");
  });

  test("of several, the worst", () => {
    const all = [{}, { queue: queue(9) }, { queue: queue(10) }, { shards: [shard(0, 0, true)] }].map(
      pressureOf,
    );
    expect(worst(all).level).toBe("over");
    expect(worst([]).level).toBe("ok");
  });

  test("a queue is full at its mark and not fuller above it", () => {
    expect([queue(0), queue(5), queue(10), queue(500), queue(null), queue(0, 0)].map(fillOf)).toEqual([
      0, 0.5, 1, 1, 0, 1,
    ]);
  });
});

describe("skew", () => {
  test("is the largest share against the mean", () => {
    expect(skewOf([shard(0, 10), shard(1, 10)])).toEqual({ factor: 1, largest: 10 });
    expect(skewOf([shard(0, 30), shard(1, 10), shard(2, 20)])?.factor).toBe(1.5);
    expect(skewOf([shard(0, 8), shard(1, 0), shard(2, 0), shard(3, 0)])?.factor).toBe(4);
  });

  test("is nothing where there is nothing to compare", () => {
    expect(skewOf([])).toBeUndefined();
    expect(skewOf([shard(0, 10)])).toBeUndefined();
    expect(skewOf([shard(0, 0), shard(1, 0)])).toBeUndefined();
    expect(skewOf([shard(0, 10), silent])).toBeUndefined();
  });

  test("shares are of the largest; who does not answer has none", () => {
    expect(sharesOf([shard(0, 10), shard(1, 5), silent, shard(2, 0)])).toEqual([1, 0.5, undefined, 0]);
    expect(sharesOf([shard(0, 0)])).toEqual([0]);
  });
});
