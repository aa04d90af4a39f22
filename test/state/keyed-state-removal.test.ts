/** KeyedState's tombstones: a key that was taken away is gone from every kind of read, and its page with it. */
import { describe, expect, test } from "vitest";
import { KeyedState } from "../../src/state/keyed-state.ts";
import { MemoryStore } from "../../src/state/memory-store.ts";
import { PageCache } from "../../src/state/page-cache.ts";
import type { PageSpace } from "../../src/state/store.ts";
import { Random } from "../simulation/random.ts";

function open(store: MemoryStore, space: PageSpace = "state", cacheBytes = 1): KeyedState {
  return new KeyedState(store, new PageCache(cacheBytes), "test/0", space);
}

function put(state: KeyedState, entries: Iterable<readonly [string, unknown]>): void {
  state.put([...entries].flat());
}

/** What a commit reads of those keys that are there. */
function valuesOf(state: KeyedState, keys: readonly string[]): [string, unknown][] {
  const found: [string, unknown][] = [];
  for (const { key, before } of state.read(keys).list) if (before !== undefined) found.push([key, before]);
  return found;
}

function checkpoint(state: KeyedState, pages = 1): void {
  state.freeze();
  while (!state.flush(pages));
  state.thaw();
}

function numbered(count: number, value: (n: number) => unknown): [string, unknown][] {
  return Array.from({ length: count }, (_, n) => [`k${String(n).padStart(6, "0")}`, value(n)]);
}

const pagesOf = (store: MemoryStore, space: PageSpace = "state") => store.listPages(space);

describe("a key that is taken away is gone", () => {
  const stages: readonly (readonly [string, (state: KeyedState) => void])[] = [
    ["while it waits for a checkpoint", () => undefined],
    ["while a checkpoint moves it", (state) => state.freeze()],
    [
      "while it is in its page but not thawed",
      (state) => {
        state.freeze();
        while (!state.flush(1));
      },
    ],
    ["after the checkpoint", (state) => checkpoint(state)],
  ];
  test.each(stages)("%s", (_when, move) => {
    for (const known of ["in a page", "only changed", "never"] as const) {
      const state = open(new MemoryStore());
      const kept: [string, unknown][] = [
        ["a", 1],
        ["c", 3],
      ];
      put(state, kept);
      if (known !== "never") put(state, [["b", 2]]);
      if (known === "in a page") checkpoint(state);
      put(state, [["b", null]]);
      move(state);
      expect(state.get("b")).toBeUndefined();
      expect(valuesOf(state, ["a", "b", "c"])).toEqual(kept);
      expect([...state.entries()]).toEqual(kept.map(([key, value]) => ({ key, value })));
      expect([...state.entries({ prefix: "b" })]).toEqual([]);
      expect([...state.entries({ after: "a" })]).toEqual([{ key: "c", value: 3 }]);
    }
  });

  test.each(stages)("and can come back, %s", (_when, move) => {
    const state = open(new MemoryStore());
    put(state, [["b", 2]]);
    checkpoint(state);
    put(state, [["b", null]]);
    move(state);
    put(state, [["b", 4]]);
    expect([state.get("b"), valuesOf(state, ["b"]), [...state.entries()]]).toEqual([
      4,
      [["b", 4]],
      [{ key: "b", value: 4 }],
    ]);
  });
});

describe("pages", () => {
  test("that are emptied are deleted, but for the first, which takes new small keys", () => {
    const store = new MemoryStore();
    const state = open(store);
    const entries = numbered(2_000, () => "x".repeat(100));
    put(state, entries);
    checkpoint(state, 3);
    expect(pagesOf(store).length).toBeGreaterThan(5);
    put(
      state,
      entries.map(([key]) => [key, null]),
    );
    checkpoint(state, 3);
    expect(pagesOf(store).map(({ first }) => first)).toEqual([""]);
    expect([state.pages, [...state.entries()], [...open(store).entries()]]).toEqual([1, [], []]);
    put(state, [
      ["", 1],
      ["k001500", 2],
    ]);
    checkpoint(state);
    expect([...open(store).entries()]).toEqual([
      { key: "", value: 1 },
      { key: "k001500", value: 2 },
    ]);
    expect(pagesOf(store).length).toBe(1);
  });

  test("in the middle go, and keys of their range find their place again", () => {
    const store = new MemoryStore();
    const state = open(store);
    put(
      state,
      numbered(2_000, () => "x".repeat(100)),
    );
    checkpoint(state, 3);
    const [, , middle, next] = pagesOf(store);
    const gone = numbered(2_000, () => null).filter(
      ([key]) => key >= (middle?.first ?? "") && key < (next?.first ?? ""),
    );
    const before = store.rowsWritten;
    put(state, gone);
    checkpoint(state);
    // One row: the page's own.
    expect(store.rowsWritten - before).toBe(1);
    expect(pagesOf(store).some(({ id }) => id === middle?.id)).toBe(false);
    const back = gone[Math.floor(gone.length / 2)]?.[0] as string;
    put(state, [[back, "back"]]);
    checkpoint(state);
    const woken = open(store);
    expect(woken.get(back)).toBe("back");
    expect([...woken.entries()].length).toBe(2_000 - gone.length + 1);
  });

  test("a checkpoint that takes away what was never there writes nothing into an empty state", () => {
    const store = new MemoryStore();
    const state = open(store);
    put(state, [
      ["a", null],
      ["b", null],
    ]);
    checkpoint(state);
    expect([store.rowsWritten, state.pages]).toEqual([0, 0]);
  });

  test("the number of a deleted page is not given to a page that the cache still knows", () => {
    const store = new MemoryStore();
    const state = open(store, "state", 10_000_000);
    const entries = numbered(1_000, () => "x".repeat(100));
    for (let round = 0; round < 5; round++) {
      put(
        state,
        entries.map(([key]) => [key, `${round}`.repeat(100)]),
      );
      checkpoint(state, 2);
      for (const [key] of entries) expect(state.get(key)).toBe(`${round}`.repeat(100));
      put(
        state,
        entries.slice(round).map(([key]) => [key, null]),
      );
      checkpoint(state, 2);
      expect([...state.entries()].length).toBe(round);
    }
  });
});

test("the two spaces of a store do not see each other, in storage or in the cache", () => {
  const store = new MemoryStore();
  const cache = new PageCache();
  const both = (["state", "timers"] as const).map((space) => new KeyedState(store, cache, "test/0", space));
  const [state, timers] = both as [KeyedState, KeyedState];
  put(
    state,
    numbered(1_500, (n) => `state ${n} ${"x".repeat(60)}`),
  );
  put(
    timers,
    numbered(900, (n) => `timer ${n} ${"x".repeat(60)}`),
  );
  for (const one of both) checkpoint(one, 2);
  expect(pagesOf(store, "state").every(({ id }) => id > 0)).toBe(true);
  expect(pagesOf(store, "timers").every(({ id }) => id < 0)).toBe(true);
  expect(pagesOf(store, "timers").length).toBeGreaterThan(1);
  put(
    timers,
    numbered(900, () => null),
  );
  checkpoint(timers, 2);
  expect([[...timers.entries()].length, [...state.entries()].length]).toEqual([0, 1_500]);
  const woken = (["state", "timers"] as const).map((space) => open(store, space));
  expect(woken.map((one) => [...one.entries()].length)).toEqual([1_500, 0]);
  expect(woken[0]?.get("k000007")).toMatch(/^state 7 /);
});

test.each(Array.from({ length: 20 }, (_, n) => n + 1))(
  "agrees with a map under puts, removals, crashes and checkpoints (seed %i)",
  (seed) => {
    const random = new Random(seed);
    const store = new MemoryStore();
    const cacheBytes = random.pick([1, 100_000]);
    const space = random.pick(["state", "timers"] as const);
    let state = open(store, space, cacheBytes);
    const oracle = new Map<string, unknown>();
    let logged: [string, unknown][] = [];
    let loggedAtFreeze = 0;
    let frozen = false;
    const keys = ["", "\0", "\uffff", ...Array.from({ length: 40 }, (_, n) => `/p/${n % 5}/${n}`)];
    const removal = random.pick([0.2, 0.5, 0.9]);
    for (let step = 0; step < 120; step++) {
      const dice = random.int(0, 6);
      if (dice < 3) {
        const entries = Array.from({ length: random.int(1, 12) }, (): [string, unknown] => {
          const value = random.chance(0.2) ? `${step}`.padEnd(12_000, "x") : random.int(0, 9);
          return [random.pick(keys), random.chance(removal) ? null : value];
        });
        put(state, entries);
        logged.push(...entries);
        for (const [key, value] of entries) {
          if (value === null) oracle.delete(key);
          else oracle.set(key, value);
        }
      } else if (dice === 3 && !frozen) {
        state.freeze();
        loggedAtFreeze = logged.length;
        frozen = true;
      } else if (dice < 6 && frozen) {
        if (state.flush(random.int(1, 3))) {
          state.thaw();
          logged = logged.slice(loggedAtFreeze);
          frozen = false;
        }
      } else if (dice === 6 && random.chance(0.4)) {
        state = open(store, space, cacheBytes);
        put(state, logged);
        frozen = false;
      }
      const asked = Array.from({ length: 5 }, () => random.pick(keys));
      expect(asked.map((key) => state.get(key))).toEqual(asked.map((key) => oracle.get(key)));
      expect(new Map(valuesOf(state, asked))).toEqual(
        new Map(asked.filter((key) => oracle.has(key)).map((key) => [key, oracle.get(key)])),
      );
      const prefix = random.pick(["", "/p/", "/p/3", random.pick(keys)]);
      const after = random.chance(0.5) ? random.pick(keys) : undefined;
      expect([...state.entries({ prefix, ...(after === undefined ? {} : { after }) })]).toEqual(
        [...oracle]
          .filter(([key]) => key.startsWith(prefix) && (after === undefined || key > after))
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([key, value]) => ({ key, value })),
      );
    }
    expect(pagesOf(store, space).filter(({ first }) => first === "").length).toBeLessThan(2);
  },
);
