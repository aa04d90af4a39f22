/** Stable hashes: what they give is stored and routed by, so they may never change. */
import { xxHash32 } from "js-xxhash";

const encoder = new TextEncoder();
/** The library spends most of its time on turning a string into bytes; the platform does that several times as fast. */
const buffer = new Uint8Array(8192);

/** The shard of a key (well-formed Unicode): xxHash32 of its UTF-8 bytes, modulo the number of shards. */
export function shardOf(key: string, shards: number): number {
  if (shards === 1) return 0;
  const { read, written } = encoder.encodeInto(key, buffer);
  return xxHash32(read === key.length ? buffer.subarray(0, written) : encoder.encode(key), 0) % shards;
}

/** A fingerprint of a text: 64 bits as 16 hex digits. Tells versions apart; it is no defence against forgery. */
export function fingerprintOf(text: string): string {
  return hex(xxHash32(text, 0)) + hex(xxHash32(text, 0x9e3779b1));
}

function hex(value: number): string {
  return (value >>> 0).toString(16).padStart(8, "0");
}
