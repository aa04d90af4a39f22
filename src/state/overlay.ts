/**
 * Overlay: the entries that are newer than the pages below them, and wait for a checkpoint.
 *
 * A checkpoint freezes them and moves the frozen ones into pages while new changes gather above. A value that is `null`
 * is a tombstone: the key is gone.
 */
import type { Keyed } from "./key-map.ts";
import { hashOf, KeyMap } from "./key-map.ts";

/** What an entry of a map takes besides its key and a large value, about. */
const ENTRY_BYTES = 100;

/** A value that waits for a checkpoint. */
export interface Waiting extends Keyed {
  value: unknown;
}

/** What a checkpoint moves into pages, and how far it has come. */
export interface Frozen {
  readonly entries: KeyMap<Waiting>;
  /** The same, by their keys. */
  readonly sorted: readonly Waiting[];
  at: number;
}

export class Overlay {
  /** Changed since the checkpoint that is under way, or else since the last one. */
  #changed = new KeyMap<Waiting>();
  #frozen: Frozen | undefined;
  /** The keys of changed and frozen entries in order, but for the fresh ones; undefined when nobody has asked. */
  #sorted: readonly string[] | undefined;
  #fresh: string[] = [];
  #changedBytes = 0;
  #frozenBytes = 0;

  /** Entries that wait for the next checkpoint. */
  get changes(): number {
    return this.#changed.size;
  }

  /** What it takes in memory, about. */
  get bytes(): number {
    return this.#changedBytes + this.#frozenBytes;
  }

  get frozen(): Frozen | undefined {
    return this.#frozen;
  }

  /**
   * The newest value that waits for a checkpoint: null when the key was removed, undefined when it has not changed.
   *
   * @param hash of the key, where it is known.
   */
  get(key: string, hash?: number): unknown {
    // Often there is nothing at all.
    if (this.#changed.size === 0 && (this.#frozen === undefined || this.#frozen.entries.size === 0))
      return undefined;
    const known = hash ?? hashOf(key);
    const waiting = this.#changed.find(key, known) ?? this.#frozen?.entries.find(key, known);
    return waiting?.value;
  }

  set(key: string, value: unknown, hash = hashOf(key)): void {
    const waiting = this.#changed.find(key, hash);
    if (waiting !== undefined) {
      this.#changedBytes += sizeOf(value) - sizeOf(waiting.value);
      waiting.value = value;
      return;
    }
    if (this.#sorted !== undefined && this.#frozen?.entries.find(key, hash) === undefined)
      this.#fresh.push(key);
    this.#changedBytes += sizeOf(value) + ENTRY_BYTES + key.length;
    this.#changed.add({ key, hash, value });
  }

  /**
   * The keys of changed and frozen entries, in order. Whoever looks for the first timer asks after every commit, so what
   * a commit adds is merged in: to sort tens of thousands of keys each time would take longer than the commit.
   */
  keys(): readonly string[] {
    // The default order of strings, by UTF-16 code units, is the same on every machine, unlike a locale's.
    if (this.#sorted === undefined) {
      const changed = this.#changed.entries.map(({ key }) => key);
      const frozen = this.#frozen?.sorted.map(({ key }) => key) ?? [];
      this.#sorted = frozen.length === 0 ? changed.sort() : [...new Set([...changed, ...frozen])].sort();
    } else if (this.#fresh.length > 0) {
      this.#sorted = merged(this.#sorted, this.#fresh.sort());
      this.#fresh = [];
    }
    return this.#sorted;
  }

  freeze(): void {
    if (this.#frozen !== undefined) throw new Error("a checkpoint is under way");
    const entries = this.#changed;
    const sorted = [...entries.entries].sort((a, b) => (a.key < b.key ? -1 : 1));
    this.#frozen = { entries, sorted, at: 0 };
    this.#changed = new KeyMap();
    this.#frozenBytes = this.#changedBytes;
    this.#changedBytes = 0;
  }

  /** Forgets the frozen entries: the checkpoint that has them in pages is recorded. */
  thaw(): void {
    this.#frozen = undefined;
    this.#sorted = undefined;
    this.#fresh = [];
    this.#frozenBytes = 0;
  }
}

/** Two lists in order, without a key in common, as one. */
function merged(a: readonly string[], b: readonly string[]): string[] {
  const all: string[] = [];
  let next = 0;
  for (const key of a) {
    while (next < b.length && (b[next] as string) < key) all.push(b[next++] as string);
    all.push(key);
  }
  while (next < b.length) all.push(b[next++] as string);
  return all;
}

/** Objects cost about a word for each of their parts; a rough guess is enough to keep a budget. */
export function sizeOf(value: unknown): number {
  if (typeof value === "string") return value.length;
  if (Array.isArray(value)) return value.length * 16;
  return typeof value === "object" && value !== null ? Object.keys(value).length * 32 : 0;
}
