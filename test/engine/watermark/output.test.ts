/** How far what a shard emits has come: behind what its destination has not committed, and behind what it has not fired. */
import { expect, test } from "vitest";
import { packPartial } from "../../../src/engine/segment.ts";
import { advance } from "../../../src/engine/shard/advance.ts";
import { SourceWatermark } from "../../../src/engine/watermark/source-watermark.ts";
import { count, Job, planJobs, tumbling } from "../../../src/index.ts";
import { MemoryStore } from "../../../src/state/memory-store.ts";
import { takeOutbox } from "../shard/support.ts";
import { call, Records, segment, shardOver } from "../support.ts";

function chainedPlan() {
  const job = new Job("job");
  const first = job
    .addSource(new Records("records", { watermarks: "explicit" }))
    .keyBy(({ key }) => key)
    .window(tumbling(1_000))
    .aggregate("counts", count(), { shards: 1 });
  first
    .keyBy(({ key }) => key)
    .window(tumbling(1_000))
    .aggregate("second", count(), { shards: 1 });
  return planJobs([job]);
}

test("its results hold the watermark of what is behind it, until they are committed there", () => {
  const plan = chainedPlan();
  const store = new MemoryStore();
  let shard = shardOver(store, plan);
  const records = [0, 1, 5].flatMap((n) => {
    const start = n * 1_000;
    return [`k${n}`, packPartial({ start, end: start + 1_000 }, 1), 1];
  });
  shard.apply(call([segment(0, {}, { records, events: 3 })]));
  const tell = (watermark: number) => advance(plan, shard, { ...call([]), watermark });
  expect(tell(500)).toEqual({ watermark: 500, wanted: 999 });
  expect(tell(2_500)).toEqual({ watermark: 998, wanted: 5_999 });
  // Also after it has woken anew, and however far its own has come.
  shard = shardOver(store, plan);
  expect(tell(3_000)).toEqual({ watermark: 998, wanted: 5_999 });
  expect(takeOutbox(shard).length).toBeGreaterThan(0);
  expect(tell(3_000)).toEqual({ watermark: 3_000, wanted: 5_999 });
  // It never goes back.
  expect(tell(100)).toEqual({ watermark: 3_000, wanted: 5_999 });
});

test("when a source's watermark can have come so far, if nobody says anything more", () => {
  const options = { handshake: 1_000, tail: 30_000 };
  const arrival = new SourceWatermark({ watermarks: "arrival", outOfOrderness: 500 }, options);
  expect(arrival.reaches(10_000, 9_000, 1_000)).toBe(11_501);
  expect(arrival.at(11_500)).toBe(9_999);
  expect(arrival.at(11_501)).toBe(10_000);
  const explicit = new SourceWatermark({ watermarks: "explicit", outOfOrderness: 500 }, options);
  expect(explicit.reaches(10_000, 9_000, 1_000)).toBeUndefined();
  explicit.committed({ source: "s", hold: "h", n: 0, arrival: 9_000, watermark: 10_000 });
  expect(explicit.reaches(10_000, 9_000, 1_000)).toBe(10_001);
  expect(explicit.at(10_000)).toBe(-1);
  expect(explicit.at(10_001)).toBe(10_000);
  // Nothing has been said that goes further.
  expect(explicit.reaches(10_001, 10_001, 1_000)).toBeUndefined();
});
