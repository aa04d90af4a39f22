/** TimerState: keyed state whose keys sort by time, and which knows its first of each kind without looking each time. */
import type { Changes } from "./keyed-state.ts";
import { KeyedState } from "./keyed-state.ts";
import type { PageCache } from "./page-cache.ts";
import type { StateStore } from "./store.ts";

export class TimerState extends KeyedState {
  /** By prefix: the smallest key that starts with it, undefined when there is none. What is missing has to be looked for. */
  readonly #first = new Map<string, string | undefined>();

  constructor(store: StateStore, cache: PageCache, name: string) {
    super(store, cache, name, "timers");
  }

  /** The smallest key that starts with `prefix`; undefined when there is none. To look for it sorts what has changed. */
  first(prefix: string): string | undefined {
    if (this.#first.has(prefix)) return this.#first.get(prefix);
    const [entry] = this.entries({ prefix });
    this.#first.set(prefix, entry?.key);
    return entry?.key;
  }

  override put(timers: Changes): void {
    super.put(timers);
    for (let at = 0; at < timers.length; at += 2) {
      const timer = timers[at] as string;
      const set = timers[at + 1];
      for (const [prefix, first] of this.#first) {
        if (!timer.startsWith(prefix)) continue;
        if (set === null) {
          if (timer === first) this.#first.delete(prefix);
        } else if (first === undefined || timer < first) {
          this.#first.set(prefix, timer);
        }
      }
    }
  }
}
