/** KeyText: how keys stand in one text, one after the other. */

/** What stands between two keys. It makes the text the inside of a JSON array, for keys that JSON writes as they are. */
export const SEPARATOR = '","';

/** A key comes, before what is at `at`, or what is there goes. */
export interface KeyEdit {
  readonly at: number;
  /** Undefined where one goes. */
  readonly key: string | undefined;
  /** What `hashOf` says of it. */
  readonly hash: number;
}

/** Where the key at a place starts. @param ends where each ends. */
export function startOf(ends: Uint32Array, at: number): number {
  return at === 0 ? 0 : (ends[at - 1] as number) + SEPARATOR.length;
}

/** Whether JSON writes a key as it is; may say no of one that it does (an emoji). */
export function isPlain(key: string): boolean {
  for (let at = 0; at < key.length; at++) {
    const code = key.charCodeAt(at);
    if (code < 0x20 || code === 0x22 || code === 0x5c || (code >= 0xd800 && code < 0xe000)) return false;
  }
  return true;
}

/** Keys, or runs of them, as one text that keeps no other in memory. */
export function joined(pieces: readonly string[]): string {
  return pieces.length === 1 ? standingAlone(pieces[0] as string) : pieces.join(SEPARATOR);
}

/** The same text, where it was cut out of a large one, which would stay in memory with it. */
export function standingAlone(text: string): string {
  return ` ${text}`.slice(1);
}

/** How many characters two texts begin with in common. */
export function commonStart(a: string, b: string): number {
  let at = 0;
  while (at < a.length && at < b.length && a.charCodeAt(at) === b.charCodeAt(at)) at++;
  return at;
}
