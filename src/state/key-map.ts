/**
 * KeyMap: entries by their keys, found by a hash of our own.
 *
 * A Map interns each string that it is asked for: it searches a table of all strings of the isolate, under a lock, and
 * the garbage collector goes through that table. For keys that are seen once a commit, that is more work than all the rest.
 */

export interface Keyed {
  readonly key: string;
  /** What `hashOf` says, or `mix` makes of it. */
  readonly hash: number;
}

/** Entries that the smallest table is for: V8 keeps its 64 bytes in its own heap, and goes outside for a larger one. */
const FEWEST = 4;
/** Tables of fewer numbers grow fourfold: making one more would cost more than its memory is worth. */
const SMALL = 4096;

export class KeyMap<Entry extends Keyed> {
  /** As they came. */
  readonly entries: Entry[] = [];
  /**
   * In turns a place in the list, counted from 1, and the hash of what is there: whatever has another one need not be looked
   * at. Each pair is where its hash says or in the next that was free; at most half of them are in use.
   */
  #table: Int32Array;

  /** @param expected about how many entries there will be. */
  constructor(expected = FEWEST) {
    this.#table = new Int32Array(2 ** Math.ceil(Math.log2(Math.max(FEWEST, expected) * 4)));
  }

  get size(): number {
    return this.entries.length;
  }

  find(key: string, hash: number): Entry | undefined {
    const table = this.#table;
    const mask = table.length - 1;
    for (let at = (hash * 2) & mask; ; at = (at + 2) & mask) {
      const place = table[at] as number;
      if (place === 0) return undefined;
      if (table[at + 1] !== hash) continue;
      const entry = this.entries[place - 1] as Entry;
      if (entry.key === key) return entry;
    }
  }

  /** @param entry of a key that has none. */
  add(entry: Entry): void {
    this.entries.push(entry);
    if (this.entries.length * 4 > this.#table.length) this.#grow();
    else this.#place(entry.hash, this.entries.length);
  }

  #grow(): void {
    const { length } = this.#table;
    this.#table = new Int32Array(length * (length < SMALL ? 4 : 2));
    for (let at = 0; at < this.entries.length; at++) this.#place((this.entries[at] as Entry).hash, at + 1);
  }

  #place(hash: number, place: number): void {
    const table = this.#table;
    const mask = table.length - 1;
    let at = (hash * 2) & mask;
    while (table[at] !== 0) at = (at + 2) & mask;
    table[at] = place;
    table[at + 1] = hash;
  }
}

/** Nobody may choose keys that all have the same hash. Drawn when it is first needed: there is no randomness while a Worker loads. */
let seed = 0;

/** 30 bits: a larger number would need memory of its own. */
const MASK = 0x3fffffff;

/**
 * 30 bits. The same only as long as the isolate lives.
 *
 * @param text the key, or what has it from `start` to `end`.
 */
export function hashOf(text: string, start = 0, end = text.length): number {
  if (seed === 0) seed = 1 + Math.floor(Math.random() * 0x7ffffffe);
  let hash = seed ^ (end - start);
  for (let at = start; at < end; at++) hash = stir(hash, text.charCodeAt(at));
  return hash & MASK;
}

/** The hash of a key that is found by a number as well. */
export function mix(hash: number, number: number): number {
  return stir(hash, number) & MASK;
}

function stir(hash: number, number: number): number {
  const stirred = Math.imul(hash ^ number, 0x5bd1e995);
  return stirred ^ (stirred >>> 15);
}
