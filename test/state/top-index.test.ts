/** TopIndex against a full sort: ties, pruning, storing, and older values that a replay tells again. */
import { expect, test } from "vitest";
import { byRank, TopIndex } from "../../src/state/top-index.ts";
import { Random } from "../simulation/random.ts";

function full(values: ReadonlyMap<string, number>, limit: number) {
  return [...values]
    .map(([key, value]) => ({ key, value }))
    .sort(byRank)
    .slice(0, limit);
}

test("ties go by key, and no more than its size is answered", () => {
  const index = new TopIndex(2);
  for (const key of ["c", "a", "b"]) index.update(key, 5);
  expect(index.top(10)).toEqual([
    { key: "a", value: 5 },
    { key: "b", value: 5 },
  ]);
  expect(index.top(0)).toEqual([]);
});

test.each(Array.from({ length: 60 }, (_, n) => n + 1))("is a full sort's top (seed %i)", (seed) => {
  const random = new Random(seed);
  const size = random.int(1, 6);
  const keys = Array.from({ length: random.int(1, 60) }, (_, n) => `k${n}`);
  const step = random.pick([1, 1, 3, 100]);
  const values = new Map<string, number>();
  let log: [string, number][] = [];
  let index = new TopIndex(size);
  for (let n = 0; n < 400; n++) {
    const key = random.pick(keys);
    const value = (values.get(key) ?? 0) + random.int(0, step);
    values.set(key, value);
    log.push([key, value]);
    index.update(key, value);
    expect(index.top(size)).toEqual(full(values, size));
    if (random.chance(0.02)) {
      // A wake-up: the index as a checkpoint stored it, then older entries of the log again up to the newest.
      index = TopIndex.from(JSON.parse(JSON.stringify(index.toJSON())), size);
      log = log.slice(random.int(0, log.length));
      for (const [again, old] of log) index.update(again, old);
      expect(index.top(size)).toEqual(full(values, size));
    }
  }
});
