/** Cursor: the last thing of a page as an opaque text, from which the next page goes on. */

/**
 * Any string as base64url: keys may hold NUL, lone surrogates and whatever else, so it is the UTF-16 code units that
 * are encoded, which also bounds a cursor at 2.7 characters for each of the string.
 */
export function encodeCursor(last: string): string {
  const bytes = new Uint8Array(last.length * 2);
  for (let at = 0; at < last.length; at++) {
    const unit = last.charCodeAt(at);
    bytes[at * 2] = unit & 0xff;
    bytes[at * 2 + 1] = unit >>> 8;
  }
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** What `encodeCursor` was given; undefined for any text that it did not give. */
export function decodeCursor(cursor: string): string | undefined {
  if (!/^[A-Za-z0-9_-]*$/.test(cursor)) return undefined;
  let binary: string;
  try {
    binary = atob(cursor.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    return undefined;
  }
  const units: string[] = [];
  for (let at = 0; at + 1 < binary.length; at += 2) {
    units.push(String.fromCharCode(binary.charCodeAt(at) | (binary.charCodeAt(at + 1) << 8)));
  }
  const last = units.join("");
  // An odd byte or stray bits at the end decode to something too, but they are not what was given out.
  return encodeCursor(last) === cursor ? last : undefined;
}
