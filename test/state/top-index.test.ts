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

test("an index that keys were taken out of says when it no longer knows", () => {
  const index = new TopIndex(2);
  for (const [key, value] of [
    ["a", 9],
    ["b", 8],
    ["c", 7],
    ["d", 6],
    ["e", 5],
  ] as const)
    index.update(key, value);
  expect([index.holds(2), index.holds(3)]).toEqual([true, false]);
  index.remove("a");
  // b and c had been cut off at d: of two, only b is sure.
  expect([index.holds(1), index.top(1)]).toEqual([true, [{ key: "b", value: 8 }]]);
  expect(index.holds(2)).toBe(false);
  index.update("c", 20);
  expect([index.holds(2), index.top(2)]).toEqual([
    true,
    [
      { key: "c", value: 20 },
      { key: "b", value: 8 },
    ],
  ]);
});

test("nothing is left of a key that was taken out, also where the index ends", () => {
  const index = new TopIndex(2);
  for (const key of ["a", "c", "d", "e", "f"]) index.update(key, 5);
  expect(JSON.stringify(index)).toContain('"threshold":{"key":"d"');
  index.update("b", 5);
  index.remove("d");
  expect(JSON.stringify(index)).not.toContain('"d"');
  // Whether a, b and c come before what was let go can no longer be told, since all have its value.
  expect(index.holds(1)).toBe(false);
  index.update("c", 6);
  expect([index.holds(1), index.top(1)]).toEqual([true, [{ key: "c", value: 6 }]]);
});

test("an index that has let nothing go holds all there is, however few", () => {
  const index = new TopIndex(3);
  index.update("a", 1);
  index.remove("a");
  index.remove("never");
  expect([index.holds(3), index.top(3)]).toEqual([true, []]);
});

test.each(Array.from({ length: 80 }, (_, n) => n + 1))(
  "is exact whenever it says that it holds, under updates and removals (seed %i)",
  (seed) => {
    const random = new Random(seed);
    const size = random.int(1, 6);
    const keys = Array.from({ length: random.int(2, 40) }, (_, n) => `k${n}`);
    const step = random.pick([1, 3, 100]);
    const removal = random.pick([0.02, 0.1, 0.3]);
    const values = new Map<string, number>();
    /** What a log would hold: undefined takes a key out. */
    let log: [string, number | undefined][] = [];
    let index = new TopIndex(size);
    let held = 0;
    const tell = (key: string, value: number | undefined) =>
      value === undefined ? index.remove(key) : index.update(key, value);
    const check = () => {
      for (let limit = 1; limit <= size; limit++) {
        if (!index.holds(limit)) continue;
        held++;
        expect(index.top(limit)).toEqual(full(values, limit));
      }
    };
    for (let n = 0; n < 400; n++) {
      const key = random.pick(keys);
      // A key that comes back starts anew, lower than it was.
      const value = random.chance(removal) ? undefined : (values.get(key) ?? 0) + random.int(0, step);
      if (value === undefined) values.delete(key);
      else values.set(key, value);
      log.push([key, value]);
      tell(key, value);
      check();
      if (random.chance(0.02)) {
        index = TopIndex.from(JSON.parse(JSON.stringify(index.toJSON())), size);
        log = log.slice(random.int(0, log.length));
        for (const [again, old] of log) tell(again, old);
        check();
      }
    }
    expect(held).toBeGreaterThan(0);
  },
);
