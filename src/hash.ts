/** Stable hashes: what they give is stored and routed by, so they may never change. */
import { xxHash32 } from "js-xxhash";

/** The shard of a key: xxHash32 of its UTF-8 bytes, modulo the number of shards. */
export function shardOf(key: string, shards: number): number {
  return shards === 1 ? 0 : xxHash32(key, 0) % shards;
}

/** A fingerprint of a text: 64 bits as 16 hex digits. Tells versions apart; it is no defence against forgery. */
export function fingerprintOf(text: string): string {
  return hex(xxHash32(text, 0)) + hex(xxHash32(text, 0x9e3779b1));
}

function hex(value: number): string {
  return (value >>> 0).toString(16).padStart(8, "0");
}
