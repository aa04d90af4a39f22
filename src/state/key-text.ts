/** KeyText: how keys stand in one text, one after the other. */

/** What stands between two keys. It makes the text the inside of a JSON array, for keys that JSON writes as they are. */
export const SEPARATOR = '","';

/** Where the key at a place starts. @param ends where each ends. */
export function startOf(ends: Uint32Array, at: number): number {
  return at === 0 ? 0 : (ends[at - 1] as number) + SEPARATOR.length;
}
