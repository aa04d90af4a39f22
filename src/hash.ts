/** Stable hashes: what they give is stored and routed by, so they may never change. */
import { xxHash32 } from "js-xxhash";

const encoder = new TextEncoder();
/** The library spends most of its time on turning a string into bytes; the platform does that several times as fast. */
const buffer = new Uint8Array(8192);
/** Its beginnings by length: making a view for each key takes longer than hashing it. */
const views: Uint8Array[] = Array.from({ length: 65 }, (_, length) => buffer.subarray(0, length));

/** The shard of a key (well-formed Unicode): xxHash32 of its UTF-8 bytes, modulo the number of shards. */
export function shardOf(key: string, shards: number): number {
  return shards === 1 ? 0 : xxHash32(bytesOf(key), 0) % shards;
}

/** The UTF-8 bytes of a text, to be used before the next call. */
function bytesOf(text: string): Uint8Array {
  const { length } = text;
  const view = views[length];
  if (view !== undefined) {
    let at = 0;
    for (; at < length; at++) {
      const unit = text.charCodeAt(at);
      if (unit > 0x7f) break;
      buffer[at] = unit;
    }
    // Most keys are short and ASCII, and a call of the platform is dear.
    if (at === length) return view;
  }
  const { read, written } = encoder.encodeInto(text, buffer);
  return read === length ? buffer.subarray(0, written) : encoder.encode(text);
}

/** A fingerprint of a text: 64 bits as 16 hex digits. Tells versions apart; it is no defence against forgery. */
export function fingerprintOf(text: string): string {
  return hex(xxHash32(text, 0)) + hex(xxHash32(text, 0x9e3779b1));
}

function hex(value: number): string {
  return (value >>> 0).toString(16).padStart(8, "0");
}
