/** PackedKeys against a plain list of strings, with keys that JSON escapes and keys that begin with one another. */
import { describe, expect, test } from "vitest";
import { KeyIndex } from "../../src/state/key-index.ts";
import { hashOf } from "../../src/state/key-map.ts";
import type { KeyEdit } from "../../src/state/key-text.ts";
import { PackedKeys } from "../../src/state/packed-keys.ts";
import { Random } from "../simulation/random.ts";

const encoder = new TextEncoder();

const PLAIN = ["", "a", "ab", "abc", "abd", "b", "é", "\uffff", "\u{1f600}", "zürich"];
const MARKED = ["\ufeff", "\ufeffa", "\ufeff\ufeffb"];
const ESCAPED = ['"', '","', "\\", "\0", "\n", "\ud83d", "\ude00", '","a'];

function sorted(keys: Iterable<string>): string[] {
  return [...new Set(keys)].sort();
}

/** What `find` must say. */
function place(keys: readonly string[], key: string): number {
  const at = keys.findIndex((other) => other >= key);
  if (at === -1) return ~keys.length;
  return keys[at] === key ? at : ~at;
}

describe.each([
  ["plain keys", PLAIN],
  ["keys that begin with a byte order mark", MARKED],
  ["keys that JSON escapes", ESCAPED],
  ["both", [...PLAIN, ...ESCAPED]],
  ["one key", ["/a"]],
  ["the empty key", [""]],
  ["none", []],
])("%s", (_name, list) => {
  const keys = sorted(list);
  const packed = PackedKeys.of(keys);

  test("come out as they went in", () => {
    expect(packed.length).toBe(keys.length);
    expect(packed.list()).toEqual(keys);
    expect(keys.map((_key, at) => packed.get(at))).toEqual(keys);
  });

  test("are the same JSON, the first time and again", () => {
    expect([packed.json(), packed.json()]).toEqual([JSON.stringify(keys), JSON.stringify(keys)]);
  });

  test("come back from their JSON, whole and in part, and are the same JSON again", () => {
    const decoded = PackedKeys.decode(encoder.encode(packed.json()));
    expect([decoded.list(), decoded.json()]).toEqual([keys, JSON.stringify(keys)]);
    for (const from of [0, 1, keys.length - 1]) {
      for (const to of [0, 1, 2, keys.length, keys.length + 5]) {
        const part = from < 0 ? [] : keys.slice(from, to);
        for (const whole of [packed, decoded]) {
          const sliced = whole.slice(Math.max(0, from), to);
          expect([sliced.list(), sliced.json()]).toEqual([part, JSON.stringify(part)]);
          expect(part.map((key) => sliced.find(key))).toEqual(part.map((_key, at) => at));
        }
      }
    }
  });

  test("are found, and others are not", () => {
    for (const key of [...PLAIN, ...ESCAPED, "/", "/a", "/aa", "aa", "abcd", "abe", "zzz"]) {
      expect(packed.find(key)).toBe(place(keys, key));
    }
  });
});

test.each([1, 2, 3, 4, 5])("finds what a plain search finds (seed %i)", (seed) => {
  const random = new Random(seed);
  const start = random.pick(["", "/products/item-", "\ud83d"]);
  const letters = ["a", "b", '"', ",", "\u0000", "é", "\uffff"];
  const draw = () => start + Array.from({ length: random.int(0, 4) }, () => random.pick(letters)).join("");
  const keys = sorted(Array.from({ length: 200 }, draw));
  const packed = PackedKeys.of(keys);
  for (let n = 0; n < 500; n++) {
    const key = random.chance(0.1) ? draw().slice(0, random.int(0, 16)) : draw();
    expect(packed.find(key)).toBe(place(keys, key));
  }
  expect(packed.json()).toBe(JSON.stringify(keys));
});

describe("with keys that come and go", () => {
  /** What `edited` is told, of a list and what it is to become. */
  function editsOf(keys: readonly string[], target: readonly string[]): KeyEdit[] {
    const packed = PackedKeys.of(keys);
    return sorted([...keys, ...target])
      .filter((key) => keys.includes(key) !== target.includes(key))
      .map((key) => {
        const at = packed.find(key);
        return at < 0 ? { at: ~at, key, hash: hashOf(key) } : { at, key: undefined, hash: hashOf(key) };
      });
  }

  test.each([1, 2, 3, 4, 5, 6])("they are what a new list would be (seed %i)", (seed) => {
    const random = new Random(seed);
    const letters = random.pick([
      ["a", "b", "c"],
      ["a", '"', "\u0000", "é", "\ud83d"],
    ]);
    const draw = () => `/${Array.from({ length: random.int(0, 5) }, () => random.pick(letters)).join("")}`;
    let keys: string[] = [];
    let packed = PackedKeys.of(keys);
    for (let round = 0; round < 40; round++) {
      const come = Array.from({ length: random.int(0, 12) }, draw);
      const stays = random.pick([1, 1, 0.9, 0]);
      const target = sorted([...keys.filter(() => random.chance(stays)), ...come]);
      // With an index, which goes along, and without.
      if (random.chance(0.5)) for (let n = 0; n <= keys.length; n++) packed.index();
      if (random.chance(0.2)) packed = PackedKeys.decode(encoder.encode(packed.json()));
      packed = packed.edited(editsOf(keys, target));
      keys = target;
      expect([packed.length, packed.list(), packed.json()]).toEqual([
        keys.length,
        keys,
        JSON.stringify(keys),
      ]);
      for (const key of [...keys, ...come, "/no", ""]) {
        expect(packed.find(key)).toBe(place(keys, key));
        expect(packed.at(key, hashOf(key))).toBe(keys.indexOf(key));
      }
    }
  });

  test("an index goes along as long as there is room in it", () => {
    const keys = sorted(Array.from({ length: 1000 }, (_, n) => `/page/${n}`));
    const packed = PackedKeys.of(keys);
    while (packed.index() === undefined);
    const few = packed.edited(editsOf(keys, sorted([...keys, "/a", "/page/55!", "/z"])));
    expect(few.index()).toBeDefined();
    expect(few.at("/page/55!", hashOf("/page/55!"))).toBe(sorted([...keys, "/a"]).indexOf("/page/55") + 1);
    const many = sorted([...keys, ...Array.from({ length: 400 }, (_, n) => `/more/${n}`)]);
    expect(packed.edited(editsOf(keys, many)).index()).toBeUndefined();
    expect(packed.edited(editsOf(keys, keys.slice(1))).index()).toBeUndefined();
  });
});

test("keys whose first characters are the same number, and those that fit no byte", () => {
  const keys = sorted([
    "/p/",
    "/p/1",
    "/p/12",
    "/p/1\u0000",
    "/p/é",
    "/p/\u0100a",
    "/p/\u00ffb",
    "/p/\u0101",
    ...Array.from({ length: 40 }, (_, n) => `/p/same/${n}`),
    ...Array.from({ length: 4 }, (_, n) => `/p/sam${String.fromCharCode(100 + n)}`),
  ]);
  const packed = PackedKeys.of(keys);
  const others = [
    "/p/0",
    "/p/2",
    "/p/1\u0001",
    "/p/\u0100",
    "/p/\u0100b",
    "/p/\uffff",
    "/p/same/",
    "/p/same/5/",
  ];
  for (const key of [...keys, ...others]) expect(packed.find(key)).toBe(place(keys, key));
});

describe("keys that are asked for by their hash", () => {
  /** What is said of keys: by a search for each while they are few, then by an index. */
  function located(packed: PackedKeys, keys: readonly string[], known = 0): number[] {
    return keys.map((key) => {
      const index = packed.index();
      if (index === undefined) return Math.max(-1, packed.find(key));
      const places = new Int32Array(1);
      KeyIndex.locate([index], [{ key, hash: hashOf(key) }], Int32Array.of(known), places);
      return places[0] as number;
    });
  }

  test.each([
    ["many, which have like ends", Array.from({ length: 1500 }, (_, n) => `/page/${n}`)],
    ["plain keys", PLAIN],
    ["keys that JSON escapes", ESCAPED],
    ["one", ["/a"]],
    ["the empty key", [""]],
    ["none", []],
  ])("%s", (_name, list) => {
    const keys = sorted(list);
    const others = ["/page/", "/page/x", "/a", "/", "no", "\uffff\uffff", ""].filter(
      (key) => !keys.includes(key),
    );
    const asked = [...others, ...keys].reverse();
    const expected = asked.map((key) => keys.indexOf(key));
    const packed = PackedKeys.of(keys);
    for (let times = 0; times < 2; times++) expect(located(packed, asked)).toEqual(expected);
    expect(asked.map((key) => packed.at(key, hashOf(key)))).toEqual(expected);
    expect(asked.map((key) => PackedKeys.of(keys).at(key, hashOf(key)))).toEqual(expected);
    // Searches in order go on.
    expect(asked.map((key) => packed.find(key))).toEqual(asked.map((key) => place(keys, key)));
  });

  test("more of them than an index can hold", () => {
    const keys = sorted(Array.from({ length: 70_000 }, (_, n) => `/${n}`));
    const packed = PackedKeys.of(keys);
    for (let times = 0; times < 2; times++) {
      expect(located(packed, ["/69999", "/x", "/0"])).toEqual([keys.indexOf("/69999"), -1, 0]);
      located(packed, keys);
    }
  });

  test("whose beginning is known", () => {
    const keys = sorted(Array.from({ length: 64 }, (_, n) => `/p/${n}`));
    const packed = PackedKeys.of(keys);
    expect(located(packed, ["/p/7"], 3)).toEqual([keys.indexOf("/p/7")]);
    expect(located(packed, [...keys, "/p/x"], 3)).toEqual([...keys.map((_key, at) => at), -1]);
  });

  test("many at once, each in its own", () => {
    const pages = Array.from({ length: 20 }, (_, page) =>
      sorted(Array.from({ length: 1 + page * 20 }, (_key, n) => `/${page}/${n}`)),
    );
    const indexes = pages.map((keys) => indexOf(PackedKeys.of(keys)));
    const asked = pages.flatMap((keys, page) =>
      [...keys, `/${page}/no`, "", "/"].map((key) => ({ key, page, hash: hashOf(key) })),
    );
    const places = new Int32Array(asked.length);
    const known = new Int32Array(asked.length);
    KeyIndex.locate(
      asked.map(({ page }) => indexes[page] as KeyIndex),
      asked,
      known,
      places,
    );
    expect([...places]).toEqual(asked.map(({ key, page }) => (pages[page] as string[]).indexOf(key)));
  });

  test("with the hash of another one", () => {
    const keys = sorted(Array.from({ length: 50 }, (_, n) => `/p/${n}`));
    const packed = PackedKeys.of(keys);
    const index = indexOf(packed);
    // What says the wrong hash is not found, whatever has it.
    for (const key of keys) expect(index.find("/other", hashOf(key))).toBe(-1);
  });

  function indexOf(packed: PackedKeys): KeyIndex {
    for (;;) {
      const index = packed.index();
      if (index !== undefined) return index;
    }
  }
});
