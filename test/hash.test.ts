/** Hashes: they decide where state lives, so they may never change. */
import { expect, test } from "vitest";
import { fingerprintOf, shardOf } from "../src/hash.ts";

/** The published vectors of xxHash32 with seed 0; the first eight digits of a fingerprint are the hash itself. */
test.each([
  ["", "02cc5d05"],
  ["a", "550d7456"],
  ["abc", "32d153ff"],
  ["Nobody inspects the spammish repetition", "e2293b2f"],
])("%j hashes to %s", (text, hash) => {
  expect(fingerprintOf(text).slice(0, 8)).toBe(hash);
  expect(fingerprintOf(text)).toMatch(/^[0-9a-f]{16}$/);
});

test("keys of any script have the shards that they always had", () => {
  const keys = ["", "/home", "/produits/é", "日本", "😀", "x".repeat(2048)];
  expect(keys.map((key) => shardOf(key, 256))).toEqual(
    keys.map((key) => Number.parseInt(fingerprintOf(key).slice(0, 8), 16) % 256),
  );
  expect(keys.map((key) => shardOf(key, 1))).toEqual(keys.map(() => 0));
});

test("shards are whole numbers below their count, and even enough", () => {
  const perShard = [0, 0, 0, 0, 0];
  for (let n = 0; n < 5_000; n++) {
    const shard = shardOf(`/page/${n}`, 5);
    perShard[shard] = (perShard[shard] ?? Number.NaN) + 1;
  }
  for (const keys of perShard) expect(keys).toBeGreaterThan(850);
  expect(perShard.length).toBe(5);
});
