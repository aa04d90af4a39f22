/** Values that change in their page: what a checkpoint writes, what it costs, and when they wait beside the page instead. */
import { expect, test } from "vitest";
import { KeyedState } from "../../src/state/keyed-state.ts";
import { MemoryStore } from "../../src/state/memory-store.ts";
import { PageCache } from "../../src/state/page-cache.ts";
import { Random } from "../simulation/random.ts";

const KEYS = Array.from({ length: 20_000 }, (_, n) => `/page/${String(n).padStart(5, "0")}`);

function filled(cacheBytes = 48 * 1024 * 1024) {
  const store = new MemoryStore();
  const cache = new PageCache(cacheBytes);
  const state = new KeyedState(store, cache, "test/0");
  put(
    state,
    KEYS.map((key) => [key, 0] as const),
  );
  checkpoint(state);
  return { store, cache, state };
}

function put(state: KeyedState, entries: Iterable<readonly [string, unknown]>): void {
  state.put([...entries].flat());
}

function checkpoint(state: KeyedState, between?: () => void): void {
  state.freeze();
  while (!state.flush(1)) between?.();
  state.thaw();
}

const stored = (store: MemoryStore, key: string) =>
  new KeyedState(store, new PageCache(1), "another").get(key);

test("a new value of a key whose page is in memory takes no entry beside it, and one page to write", () => {
  const { store, cache, state } = filled();
  expect([state.heldBytes, state.pinnedBytes, state.changedKeys]).toEqual([0, 0, 0]);
  const before = cache.bytes;
  const key = KEYS[7] as string;
  put(state, [[key, 1]]);
  put(state, [[key, 2]]);
  expect([state.get(key), state.heldBytes, state.changedKeys]).toEqual([2, 0, 1]);
  expect(state.pinnedBytes).toBeGreaterThan(0);
  expect(cache.bytes + state.pinnedBytes).toBe(before);
  expect(stored(store, key)).toBe(0);
  const rows = store.rowsWritten;
  checkpoint(state);
  expect([stored(store, key), store.rowsWritten - rows]).toEqual([2, 1]);
  expect([state.pinnedBytes, state.changedKeys, cache.bytes]).toEqual([0, 0, before]);
});

test("what changes during a checkpoint is in it where its page is still to come, else in the next one", () => {
  const { store, state } = filled();
  const [first, last] = [KEYS[0], KEYS.at(-1)] as [string, string];
  put(state, [
    [first, 1],
    [last, 1],
  ]);
  let steps = 0;
  checkpoint(state, () => {
    if (steps++ > 0) return;
    put(state, [
      [first, 2],
      [last, 2],
    ]);
  });
  expect([stored(store, first), stored(store, last), state.changedKeys]).toEqual([1, 2, 1]);
  checkpoint(state);
  expect([stored(store, first), state.changedKeys, state.pinnedBytes]).toEqual([2, 0, 0]);
});

test("what was read is put where it is by then: its page written anew, read anew, or gone from memory", () => {
  for (const between of ["nothing", "a key before it", "it goes", "another cache"]) {
    const { store, cache, state } = filled(between === "another cache" ? 100_000 : undefined);
    const chosen = [KEYS[7], KEYS[8], KEYS.at(-1), "/page/new"] as string[];
    const cells = state.read(chosen);
    expect(cells.list.map(({ before }) => before)).toEqual([0, 0, 0, undefined]);
    if (between === "a key before it") put(state, [[`${KEYS[6]}/new`, 1]]);
    if (between === "it goes") put(state, [[KEYS[7] as string, null]]);
    if (between === "another cache") for (const key of KEYS) state.get(key);
    checkpoint(state);
    for (const cell of cells.list) cell.after = `of ${cell.key}`;
    state.putCells(cells.list);
    expect(chosen.map((key) => state.get(key))).toEqual(chosen.map((key) => `of ${key}`));
    checkpoint(state);
    expect(chosen.map((key) => stored(store, key))).toEqual(chosen.map((key) => `of ${key}`));
    expect([KEYS[6], KEYS[9]].map((key) => stored(store, key as string))).toEqual([0, 0]);
    expect([state.pinnedBytes, cache.crowded]).toEqual([0, false]);
  }
});

test("a page with changed values takes in new keys, and gives up those that go", () => {
  const { store, state } = filled();
  const [a, b, c] = KEYS as [string, string, string];
  put(state, [[a, 1]]);
  put(state, [
    [b, null],
    [`${b}/new`, 5],
  ]);
  put(state, [[b, null]]);
  put(state, [[c, 3]]);
  checkpoint(state);
  expect([a, b, `${b}/new`, c].map((key) => stored(store, key))).toEqual([1, undefined, 5, 3]);
  expect(state.changedKeys).toBe(0);
});

test("a key that was taken out and comes back waits beside its page, and counts", () => {
  const { store, state } = filled();
  const key = KEYS[3] as string;
  put(state, [[key, null]]);
  put(state, [[key, 9]]);
  expect(state.get(key)).toBe(9);
  put(state, [[KEYS.at(-1) as string, 1]]);
  checkpoint(state, () => put(state, [[key, 10]]));
  checkpoint(state);
  expect([state.get(key), stored(store, key)]).toEqual([10, 10]);
});

test("a value that grows in its page is counted, and splits it", () => {
  const { state, store } = filled();
  const pages = state.pages;
  const before = state.pinnedBytes;
  put(state, [[KEYS[1] as string, "x".repeat(200_000)]]);
  expect(state.pinnedBytes - before).toBeGreaterThan(200_000);
  checkpoint(state);
  expect([state.pinnedBytes, state.pages > pages]).toEqual([0, true]);
  expect(stored(store, KEYS[1] as string)).toBe("x".repeat(200_000));
});

test("what does not fit the budget waits beside the pages, and is as right", () => {
  const { store, cache, state } = filled(300_000);
  put(
    state,
    KEYS.map((key, n) => [key, n + 1] as const),
  );
  for (const key of KEYS.slice(0, 2_000)) put(state, [[key, -1]]);
  expect(state.pinnedBytes + cache.bytes).toBeLessThanOrEqual(300_000);
  expect(state.heldBytes).toBeGreaterThan(0);
  expect(cache.crowded).toBe(true);
  checkpoint(state);
  const shown = new KeyedState(store, new PageCache(1), "another").entries();
  expect([...shown].every(({ value }, n) => value === (n < 2_000 ? -1 : n + 1))).toBe(true);
});

test("a checkpoint writes the values beside their keys, and a page whose keys change as a whole", () => {
  const { store, state } = filled();
  const [first, second] = [KEYS[0], KEYS[1]] as [string, string];
  const page = store.listPages("state")[0]?.id as number;
  const before = store.readPage(page) as Uint8Array;
  put(state, [[first, 7]]);
  const rows = store.rowsWritten;
  checkpoint(state);
  expect(store.rowsWritten - rows).toBe(1);
  expect(store.readPage(page)).toEqual(before);
  expect((store.readValues(page) as Uint8Array).length).toBeLessThan(before.length / 5);
  expect([stored(store, first), stored(store, second)]).toEqual([7, 0]);
  // A key goes and another one comes: the row with the values goes as well.
  put(state, [
    [first, null],
    [`${second}!`, 1],
  ]);
  put(state, [[second, 8]]);
  checkpoint(state);
  expect(store.readValues(page)).toBeUndefined();
  expect([stored(store, first), stored(store, second), stored(store, `${second}!`)]).toEqual([
    undefined,
    8,
    1,
  ]);
});

test("values that are as large as their keys are written with them", () => {
  const { store, state } = filled();
  const large = "x".repeat(500);
  const [key, other] = [KEYS[7], KEYS[8]] as [string, string];
  const page = store.listPages("state")[0]?.id as number;
  put(
    state,
    KEYS.slice(0, 50).map((name) => [name, large] as const),
  );
  checkpoint(state);
  expect([store.readValues(page), stored(store, key)]).toEqual([undefined, large]);
  // And where they have become small again, beside them.
  put(
    state,
    KEYS.slice(0, 50).map((name) => [name, 2] as const),
  );
  checkpoint(state);
  expect(store.readValues(page)).toBeDefined();
  expect([stored(store, key), stored(store, other)]).toEqual([2, 2]);
});

test("values that are not those of their keys are refused", () => {
  const { store } = filled();
  const page = store.listPages("state")[0]?.id as number;
  store.writeValues(page, new TextEncoder().encode("[1,2]"));
  expect(() => stored(store, KEYS[0] as string)).toThrow(/keys and 2 values/);
});

test("what is read back after a restart is what was put, whatever changes when (in pages, beside them, gone)", () => {
  for (let seed = 1; seed <= 5; seed++) {
    const random = new Random(seed);
    const store = new MemoryStore();
    const cache = new PageCache(random.pick([100_000, 1e7]));
    const expected = new Map<string, unknown>();
    let state = new KeyedState(store, cache, "test/0");
    for (let round = 0; round < 30; round++) {
      const entries = Array.from({ length: random.int(1, 400) }, () => {
        const key = KEYS[random.int(0, 2000)] as string;
        const value = random.chance(0.1) ? null : random.chance(0.05) ? "y".repeat(300) : round;
        return [key, value] as const;
      });
      // Rounds in which no key comes or goes.
      const known = entries.filter(([key, value]) => value !== null && expected.has(key));
      const chosen = round % 3 === 0 ? entries : known;
      put(state, chosen);
      for (const [key, value] of chosen) {
        if (value === null) expected.delete(key);
        else expected.set(key, value);
      }
      checkpoint(state);
      if (random.chance(0.3)) state = new KeyedState(store, cache, "test/0");
    }
    const again = new KeyedState(store, new PageCache(1e7), "test/0");
    const found = new Map([...again.entries()].map(({ key, value }) => [key, value]));
    expect(found).toEqual(new Map([...expected].sort()));
  }
});
