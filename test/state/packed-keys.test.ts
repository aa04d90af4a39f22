/** PackedKeys against a plain list of strings, with keys that JSON escapes and keys that begin with one another. */
import { describe, expect, test } from "vitest";
import { PackedKeys } from "../../src/state/packed-keys.ts";
import { Random } from "../simulation/random.ts";

const PLAIN = ["", "a", "ab", "abc", "abd", "b", "é", "\uffff", "\u{1f600}", "zürich"];
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
  ["keys that JSON escapes", ESCAPED],
  ["both", [...PLAIN, ...ESCAPED]],
  ["one key", ["/a"]],
  ["the empty key", [""]],
  ["none", []],
])("%s", (_name, list) => {
  const keys = sorted(list);
  const packed = new PackedKeys(keys);

  test("come out as they went in", () => {
    expect(packed.length).toBe(keys.length);
    expect(packed.list()).toEqual(keys);
    expect(keys.map((_key, at) => packed.get(at))).toEqual(keys);
  });

  test("are the same JSON, the first time and again", () => {
    expect([packed.json(), packed.json()]).toEqual([JSON.stringify(keys), JSON.stringify(keys)]);
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
  const packed = new PackedKeys(keys);
  for (let n = 0; n < 500; n++) {
    const key = random.chance(0.1) ? draw().slice(0, random.int(0, 16)) : draw();
    expect(packed.find(key)).toBe(place(keys, key));
  }
  expect(packed.json()).toBe(JSON.stringify(keys));
});

test("a search that knows what all keys begin with finds the same", () => {
  const keys = sorted([
    "/p/",
    "/p/1",
    "/p/12",
    "/p/1\u0000",
    "/p/é",
    "/p/\u0100a",
    "/p/\u00ffb",
    "/p/\u0101",
  ]);
  const packed = new PackedKeys(keys);
  for (const key of [...keys, "/p/0", "/p/2", "/p/1\u0001", "/p/\u0100", "/p/\u0100b", "/p/\uffff"]) {
    expect([packed.find(key), packed.find(key, 3)]).toEqual([place(keys, key), place(keys, key)]);
  }
});
