/**
 * Overlay: the entries that are newer than the pages below them, and wait for a checkpoint.
 *
 * A checkpoint freezes them and moves the frozen ones into pages while new changes gather above. A value that is `null`
 * is a tombstone: the key is gone.
 */

/** What an entry of a map takes besides its key and a large value, about. */
const ENTRY_BYTES = 100;

/** What a checkpoint moves into pages, and how far it has come. */
export interface Frozen {
  readonly entries: ReadonlyMap<string, unknown>;
  /** In order. */
  readonly keys: readonly string[];
  at: number;
}

export class Overlay {
  /** Changed since the checkpoint that is under way, or else since the last one. */
  #changed = new Map<string, unknown>();
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

  /** The newest value that waits for a checkpoint: null when the key was removed, undefined when it has not changed. */
  get(key: string): unknown {
    // Often there are none, and then nothing has to be looked up.
    const changed = this.#changed.size === 0 ? undefined : this.#changed.get(key);
    return changed === undefined ? this.#frozen?.entries.get(key) : changed;
  }

  set(key: string, value: unknown): void {
    const before = this.#changed.get(key);
    if (before === undefined && this.#sorted !== undefined && this.#frozen?.entries.has(key) !== true)
      this.#fresh.push(key);
    this.#changedBytes +=
      sizeOf(value) - (before === undefined ? -(ENTRY_BYTES + key.length) : sizeOf(before));
    this.#changed.set(key, value);
  }

  /**
   * The keys of changed and frozen entries, in order. Whoever looks for the first timer asks after every commit, so what
   * a commit adds is merged in: to sort tens of thousands of keys each time would take longer than the commit.
   */
  keys(): readonly string[] {
    // The default order of strings, by UTF-16 code units, is the same on every machine, unlike a locale's.
    if (this.#sorted === undefined) {
      const frozen = this.#frozen?.keys ?? [];
      const changed = [...this.#changed.keys()];
      this.#sorted = frozen.length === 0 ? changed.sort() : [...new Set([...changed, ...frozen])].sort();
    } else if (this.#fresh.length > 0) {
      this.#sorted = merged(this.#sorted, this.#fresh.sort());
      this.#fresh = [];
    }
    return this.#sorted;
  }

  freeze(): void {
    if (this.#frozen !== undefined) throw new Error("a checkpoint is under way");
    this.#frozen = { entries: this.#changed, keys: this.keys(), at: 0 };
    this.#changed = new Map();
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
