/**
 * KeyMap: entries by their keys, found by a hash of our own.
 *
 * A Map interns each string that it is asked for: it searches a table of all strings of the isolate, under a lock, and
 * the garbage collector goes through that table. For keys that are seen once a commit, that is more work than all the rest.
 */

export interface Keyed<Entry> {
  readonly key: string;
  /** Another entry with the same hash. */
  readonly next: Entry | undefined;
}

export class KeyMap<Entry extends Keyed<Entry>> {
  readonly #byHash = new Map<number, Entry>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** @param hash of the key, where it is known. */
  find(key: string, hash = hashOf(key)): Entry | undefined {
    if (this.#size === 0) return undefined;
    let entry = this.#byHash.get(hash);
    while (entry !== undefined && entry.key !== key) entry = entry.next;
    return entry;
  }

  /** What a new entry has to have as its `next`. */
  first(hash: number): Entry | undefined {
    return this.#byHash.get(hash);
  }

  /** @param entry of a key that has none, with what `first` gives as its `next`. */
  add(entry: Entry, hash: number): void {
    this.#byHash.set(hash, entry);
    this.#size++;
  }

  /** In no order. */
  keys(): string[] {
    const keys: string[] = [];
    for (const first of this.#byHash.values()) {
      for (let entry: Entry | undefined = first; entry !== undefined; entry = entry.next)
        keys.push(entry.key);
    }
    return keys;
  }
}

/** Nobody may choose keys that all have the same hash. */
const SEED = Math.floor(Math.random() * 0x7fffffff);

/** 30 bits: a larger number would need memory of its own. */
export function hashOf(key: string): number {
  let hash = SEED ^ key.length;
  for (let at = 0; at < key.length; at++) {
    hash = Math.imul(hash ^ key.charCodeAt(at), 0x5bd1e995);
    hash ^= hash >>> 15;
  }
  return hash & 0x3fffffff;
}
