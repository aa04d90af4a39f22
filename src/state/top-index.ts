/**
 * TopIndex: the keys with the largest values, for values that never decrease.
 *
 * It holds the best keys in the order (value descending, key ascending) and the best one that it has let go, the
 * threshold. A key's place in that order changes only when the key itself is updated, and every update passes through
 * here, so whatever is not held sorts after the threshold: the held keys are exactly the top, ties included.
 */

export interface Ranked {
  readonly key: string;
  readonly value: number;
}

/** The order of `top`: larger values first, ties by key. */
export function byRank(a: Ranked, b: Ranked): number {
  return b.value - a.value || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
}

/** The first `limit` of any number, in the order of `byRank`. Only the best so far are kept meanwhile. */
export function firstByRank<T extends Ranked>(entries: Iterable<T>, limit: number): T[] {
  let best: T[] = [];
  for (const entry of entries) {
    best.push(entry);
    if (best.length >= limit * 2 + 1000) best = best.sort(byRank).slice(0, limit);
  }
  return best.sort(byRank).slice(0, limit);
}

export class TopIndex {
  #held = new Map<string, number>();
  #threshold: Ranked | undefined;

  readonly size: number;

  /** @param size how many of the top it can always answer. */
  constructor(size = 1000) {
    this.size = size;
  }

  /** Tells the new value of a key. A held key may get an older value again (replay), as long as its newest comes last. */
  update(key: string, value: number): void {
    // What is held sorts before the threshold, with its newest value: there is no need to look whether this is.
    const threshold = this.#threshold;
    if (threshold !== undefined) {
      if (value < threshold.value || (value === threshold.value && key > threshold.key)) return;
    }
    this.#held.set(key, value);
    if (this.#held.size > this.size * 2) this.#prune();
  }

  /**
   * Takes a key out, so that nothing of it is left here. What it had kept out stays unknown, so the index may hold
   * fewer than `size` from then on.
   */
  remove(key: string): void {
    this.#held.delete(key);
    if (this.#threshold?.key !== key) return;
    // A threshold without a name, before all keys of its value: what sorts after it is let go too.
    const threshold = { key: "", value: this.#threshold.value };
    this.#threshold = threshold;
    for (const [other, value] of this.#held) {
      if (byRank({ key: other, value }, threshold) > 0) this.#held.delete(other);
    }
  }

  /** Whether `top(limit)` gives all that there is to give. */
  holds(limit: number): boolean {
    return limit <= this.size && (this.#threshold === undefined || limit <= this.#held.size);
  }

  /** The first `limit` (at most `size`) keys in rank order. */
  top(limit: number): Ranked[] {
    return this.#ranked().slice(0, Math.min(limit, this.size));
  }

  toJSON(): unknown {
    return { held: [...this.#held], threshold: this.#threshold };
  }

  static from(json: unknown, size?: number): TopIndex {
    const index = new TopIndex(size);
    const { held, threshold } = json as { held: [string, number][]; threshold?: Ranked };
    index.#held = new Map(held);
    index.#threshold = threshold;
    return index;
  }

  #prune(): void {
    const ranked = this.#ranked();
    this.#threshold = ranked[this.size];
    this.#held = new Map(ranked.slice(0, this.size).map(({ key, value }) => [key, value]));
  }

  #ranked(): Ranked[] {
    return [...this.#held].map(([key, value]) => ({ key, value })).sort(byRank);
  }
}
