/** KeyedState against a plain map: any interleaving of puts, reads, checkpoints and wakes, with a tiny cache and odd keys. */
import { describe, expect, test } from "vitest";
import { KeyedState } from "../../src/state/keyed-state.ts";
import { MemoryStore } from "../../src/state/memory-store.ts";
import { PageCache } from "../../src/state/page-cache.ts";
import { Random } from "../simulation/random.ts";

const ODD_KEYS = [
  "",
  "\0",
  "\0\0",
  "a",
  "a\0",
  "a\0b",
  "ab",
  "b",
  "\ud83d\ude00",
  "\ud83d",
  "\ude00",
  "\uffff",
  "\uffff\uffff",
  "é",
  "e\u0301",
  "__proto__",
  "constructor",
  "toString",
];

function open(store: MemoryStore, cacheBytes = 1): KeyedState {
  return new KeyedState(store, new PageCache(cacheBytes), "test/0");
}

function put(state: KeyedState, entries: Iterable<readonly [string, unknown]>): void {
  state.put([...entries].flat());
}

function checkpoint(state: KeyedState, pages = 1): void {
  state.freeze();
  while (!state.flush(pages));
  state.thaw();
}

function sorted(
  map: ReadonlyMap<string, unknown>,
  prefix = "",
  after?: string,
): { key: string; value: unknown }[] {
  return [...map]
    .filter(([key]) => key.startsWith(prefix) && (after === undefined || key > after))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => ({ key, value }));
}

test("an empty state has nothing, and a checkpoint of nothing writes nothing", () => {
  const store = new MemoryStore();
  const state = open(store);
  checkpoint(state);
  expect([state.get(""), [...state.entries()], state.pages, store.rowsWritten]).toEqual([
    undefined,
    [],
    0,
    0,
  ]);
});

test("odd keys are kept apart, before and behind pages", () => {
  const store = new MemoryStore();
  const state = open(store);
  const oracle = new Map(ODD_KEYS.map((key, n) => [key, n] as const));
  put(state, oracle);
  for (let round = 0; round < 2; round++) {
    for (const [key, value] of oracle) expect(state.get(key)).toBe(value);
    expect([...state.entries()]).toEqual(sorted(oracle));
    checkpoint(state);
  }
  const woken = open(store);
  expect([...woken.entries()]).toEqual(sorted(oracle));
  for (const prefix of ODD_KEYS)
    for (const after of [undefined, ...ODD_KEYS]) {
      expect([...woken.entries({ prefix, ...(after === undefined ? {} : { after }) })]).toEqual(
        sorted(oracle, prefix, after),
      );
    }
});

test("falsy values are values", () => {
  const store = new MemoryStore();
  const state = open(store);
  const oracle = new Map<string, unknown>([
    ["a", 0],
    ["b", ""],
    ["c", false],
    ["d", []],
  ]);
  put(state, oracle);
  for (const key of oracle.keys()) expect(state.get(key)).toBe(oracle.get(key));
  checkpoint(state);
  for (const key of oracle.keys()) expect(state.get(key)).toEqual(oracle.get(key));
  expect([...open(store).entries()]).toEqual(sorted(oracle));
});

test("the newest value wins over the frozen one and the page, and survives the thaw", () => {
  const state = open(new MemoryStore());
  put(state, [["k", 1]]);
  checkpoint(state);
  put(state, [["k", 2]]);
  state.freeze();
  expect(state.get("k")).toBe(2);
  put(state, [["k", 3]]);
  expect([...state.entries()]).toEqual([{ key: "k", value: 3 }]);
  while (!state.flush(1));
  state.thaw();
  expect(state.get("k")).toBe(3);
  expect(() => {
    state.freeze();
    state.freeze();
  }).toThrow(/under way/);
});

describe("huge values", () => {
  test("a page splits so that each row stays under the limit, wherever the large values sit", () => {
    for (const large of [
      [0, 1, 2],
      [500, 501, 502],
      [997, 998, 999],
      [0, 500, 999],
    ]) {
      const store = new MemoryStore();
      const state = open(store);
      const oracle = new Map<string, unknown>();
      for (let n = 0; n < 1000; n++) {
        oracle.set(`k${String(n).padStart(4, "0")}`, large.includes(n) ? "x".repeat(900_000) : n);
      }
      put(state, oracle);
      checkpoint(state);
      const woken = open(store);
      for (const [key, value] of oracle) expect(woken.get(key) === value).toBe(true);
    }
  });

  test("values that grow inside a page split it again", () => {
    const store = new MemoryStore();
    const state = open(store);
    const oracle = new Map<string, unknown>();
    for (let n = 0; n < 300; n++) oracle.set(`k${n}`, n);
    put(state, oracle);
    checkpoint(state);
    expect(state.pages).toBe(1);
    for (const n of [7, 8, 9]) {
      oracle.set(`k${n}`, "y".repeat(800_000));
      put(state, [[`k${n}`, oracle.get(`k${n}`)]]);
    }
    checkpoint(state);
    expect([...open(store).entries()].length).toBe(300);
    expect(open(store).get("k8") === oracle.get("k8")).toBe(true);
  });
});

test("a checkpoint of many keys is bounded pages, and one more key rewrites one page", () => {
  const store = new MemoryStore();
  const state = open(store);
  put(
    state,
    Array.from({ length: 20_000 }, (_, n) => [`/page/${n}`, n] as const),
  );
  checkpoint(state, 4);
  expect(state.pages).toBeGreaterThan(5);
  expect(state.pages).toBeLessThan(40);
  const before = store.rowsWritten;
  put(state, [["/page/7777", -1]]);
  checkpoint(state, 4);
  expect(store.rowsWritten - before).toBe(1);
  expect(open(store).get("/page/7777")).toBe(-1);
  const pages = store.listPages("state");
  expect(pages[0]?.first).toBe("");
  expect(new Set(pages.map((page) => page.id)).size).toBe(pages.length);
});

test("two states in one cache do not see each other's pages", () => {
  const cache = new PageCache();
  const states = [1, 2].map((value) => {
    const state = new KeyedState(new MemoryStore(), cache, "test/0");
    put(state, [["k", value]]);
    checkpoint(state);
    return state;
  });
  expect(states.map((state) => state.get("k"))).toEqual([1, 2]);
});

test.each(Array.from({ length: 40 }, (_, n) => n + 1))("agrees with a map (seed %i)", (seed) => {
  const random = new Random(seed);
  const store = new MemoryStore();
  const cacheBytes = random.pick([1, 100_000, 10_000_000]);
  let state = open(store, cacheBytes);
  const oracle = new Map<string, unknown>();
  /** What the commit log holds: entries since the last finished checkpoint. */
  let logged: [string, unknown][] = [];
  let loggedAtFreeze = 0;
  let frozen = false;
  const keys = [...ODD_KEYS, ...Array.from({ length: 60 }, (_, n) => `/p/${n % 7}/${n}`)];
  const value = () => (random.chance(0.1) ? random.hex(20_000) : random.int(0, 1_000_000));
  for (let step = 0; step < 150; step++) {
    switch (random.int(0, 6)) {
      case 0:
      case 1: {
        const entries = Array.from({ length: random.int(1, 8) }, (): [string, unknown] => [
          random.pick(keys),
          value(),
        ]);
        put(state, entries);
        logged.push(...entries);
        for (const [key, one] of entries) oracle.set(key, one);
        break;
      }
      case 2: {
        const key = random.pick(keys);
        expect(state.get(key)).toBe(oracle.get(key));
        break;
      }
      case 3: {
        const prefix = random.pick(["", "/p/", "/p/3", "a", "\0", "zzz", random.pick(keys)]);
        const after = random.chance(0.5) ? random.pick(keys) : undefined;
        expect([...state.entries({ prefix, ...(after === undefined ? {} : { after }) })]).toEqual(
          sorted(oracle, prefix, after),
        );
        break;
      }
      case 4:
        if (!frozen) {
          state.freeze();
          loggedAtFreeze = logged.length;
          frozen = true;
        }
        break;
      case 5:
        if (frozen && state.flush(random.int(1, 3))) {
          state.thaw();
          logged = logged.slice(loggedAtFreeze);
          frozen = false;
        }
        break;
      case 6:
        if (random.chance(0.3)) {
          // A crash, in the middle of a checkpoint maybe: memory is lost, the log is replayed over newer pages.
          state = open(store, cacheBytes);
          put(state, logged);
          frozen = false;
        }
        break;
    }
  }
  expect([...state.entries()]).toEqual(sorted(oracle));
});

test("what all pages take is known when they have been in memory, as they come, split, change and go", () => {
  const store = new MemoryStore();
  const cache = new PageCache(1e9);
  const state = new KeyedState(store, cache, "test/0");
  // All are in the cache after a checkpoint.
  const check = () => {
    checkpoint(state);
    expect([state.pageBytes, state.pages]).toEqual([cache.bytes, store.listPages("state").length]);
  };
  const key = (n: number) => `/page/${String(n).padStart(5, "0")}`;
  put(
    state,
    Array.from({ length: 9000 }, (_, n) => [key(n), n] as const),
  );
  check();
  expect(state.pages).toBeGreaterThan(4);
  put(
    state,
    Array.from({ length: 9000 }, (_, n) => [key(n), "x".repeat(n % 30)] as const),
  );
  check();
  put(
    state,
    Array.from({ length: 4000 }, (_, n) => [key(n + 2000), null] as const),
  );
  check();
  put(state, [["", 1]]);
  check();
  const full = state.pageBytes;
  const woken = open(store, 1e9);
  expect(woken.pageBytes).toBe(0);
  expect([...woken.entries()].length).toBe(5001);
  expect(Math.abs(woken.pageBytes / full - 1)).toBeLessThan(0.05);
  put(
    state,
    Array.from({ length: 9000 }, (_, n) => [key(n), null] as const),
  );
  check();
});

test("what is held is counted until it is in pages", () => {
  const state = open(new MemoryStore());
  expect(state.heldBytes).toBe(0);
  put(state, [["a", 1]]);
  const one = state.heldBytes;
  expect(one).toBeGreaterThan(0);
  put(state, [["a", 2]]);
  expect(state.heldBytes).toBe(one);
  state.freeze();
  put(state, [["a", 3]]);
  expect(state.heldBytes).toBe(2 * one);
  while (!state.flush(1));
  state.thaw();
  expect(state.heldBytes).toBe(one);
  checkpoint(state);
  expect(state.heldBytes).toBe(0);
});

test("a value that grows while it waits is counted with what it has become", () => {
  const state = open(new MemoryStore());
  put(state, [["a", "x"]]);
  put(state, [["a", "x".repeat(100_000)]]);
  expect(state.heldBytes).toBeGreaterThan(100_000);
  put(state, [["a", "x"]]);
  expect(state.heldBytes).toBeLessThan(1_000);
});
