/** Recent segments: what a shard remembers of the last ones, after a restart too, and no more than it should. */
import { expect, test } from "vitest";
import { VirtualClock } from "../../../src/clock.ts";
import { readOutcomes } from "../../../src/engine/shard/reader.ts";
import { RecentSegments } from "../../../src/engine/shard/recent-segments.ts";
import type { Shard } from "../../../src/engine/shard/shard.ts";
import { MemoryStore } from "../../../src/state/memory-store.ts";
import { call, countJob, NOW, P, segment, shardOver } from "../support.ts";

const plan = countJob();

function outcomes(shard: Shard, ...sequences: readonly number[]) {
  return readOutcomes(
    shard,
    sequences.map((sequence) => ({ producer: P, sequence })),
  );
}

test("a shard tells when it applied a segment, by which commit, and what came of it; restarted, too", () => {
  const store = new MemoryStore();
  const clock = new VirtualClock(NOW + 7);
  const shard = shardOver(store, plan, { clock });
  const dead = [{ operator: "map", error: "no", n: 2, event: { data: 1, id: "a", time: NOW } }];
  shard.apply(call([segment(0, { a: 3 }), segment(1, { b: 1 }, { arrival: NOW + 5, dead })]));
  clock.advance(10);
  shard.apply(call([segment(0, { a: 3 }), segment(2, { c: 1 })]));
  const known = [
    { arrival: NOW, lsn: 1, time: NOW + 7, late: 0, dead: 0 },
    { arrival: NOW + 5, lsn: 1, time: NOW + 7, late: 0, dead: 2 },
    { arrival: NOW, lsn: 2, time: NOW + 17, late: 0, dead: 0 },
    false,
  ];
  expect(outcomes(shard, 0, 1, 2, 3)).toEqual(known);
  expect(outcomes(shardOver(store, plan, { clock }), 0, 1, 2, 3)).toEqual(known);
});

test("a shard forgets the oldest outcomes, and after a restart those below its checkpoint, but not what is applied", () => {
  const store = new MemoryStore();
  const limits = { recentSegments: 2 };
  const shard = shardOver(store, plan, { limits });
  for (let n = 0; n < 4; n++) shard.apply(call([segment(n, { a: 1 })]));
  expect(outcomes(shard, 0, 1, 2, 3).map((outcome) => typeof outcome)).toEqual([
    "boolean",
    "boolean",
    "object",
    "object",
  ]);
  expect(outcomes(shard, 0, 1)).toEqual([true, true]);
  shard.checkpoint();
  expect(outcomes(shardOver(store, plan, { limits }), 2, 3)).toEqual([true, true]);
});

test("the parts of a segment add up, and it is done with the last of them", () => {
  const recent = new RecentSegments(10);
  const part = { producer: P, sequence: 4, kind: 0, source: "clicks", arrival: NOW, counted: 1, settled: 1 };
  recent.take(3, { segments: [{ ...part, open: true, late: 1, dead: 0 }], time: NOW + 10 });
  recent.take(5, { segments: [{ ...part, open: false, late: 1, dead: 2 }], time: NOW + 30 });
  expect(recent.get(part)).toEqual({ arrival: NOW, lsn: 5, time: NOW + 30, late: 2, dead: 2 });
});

test("an entry of before times were written is remembered without any", () => {
  const recent = new RecentSegments(10);
  const old = { producer: P, sequence: 4, kind: 0, source: "clicks", arrival: NOW, counted: 1, settled: 1 };
  recent.take(3, { segments: [{ ...old, open: false, late: 0, dead: 0 }], time: undefined });
  expect(recent.get(old)).toBeUndefined();
});
