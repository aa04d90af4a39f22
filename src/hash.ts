/** Stable hashes: what they give is stored and routed by, so they may never change. */
import { xxHash32 } from "js-xxhash";

/** Hashes of keys seen lately: hot keys come with every request, and a hash costs more than a look-up. */
const lately = new Map<string, number>();
const MAX_LATELY = 4096;

/** The shard of a key: xxHash32 of its UTF-8 bytes, modulo the number of shards. */
export function shardOf(key: string, shards: number): number {
  if (shards === 1) return 0;
  let hash = lately.get(key);
  if (hash === undefined) {
    hash = xxHash32(key, 0);
    if (lately.size >= MAX_LATELY) lately.clear();
    lately.set(key, hash);
  }
  return hash % shards;
}

/** A fingerprint of a text: 64 bits as 16 hex digits. Tells versions apart; it is no defence against forgery. */
export function fingerprintOf(text: string): string {
  return hex(xxHash32(text, 0)) + hex(xxHash32(text, 0x9e3779b1));
}

function hex(value: number): string {
  return (value >>> 0).toString(16).padStart(8, "0");
}
