/** TimerState: keyed state whose keys sort by time, and which knows its first without looking each time. */
import { KeyedState } from "./keyed-state.ts";
import type { PageCache } from "./page-cache.ts";
import type { StateStore } from "./store.ts";

export class TimerState extends KeyedState {
  /** Null when it has to be looked for: that sorts what has changed. */
  #first: string | null | undefined = null;

  constructor(store: StateStore, cache: PageCache, name: string) {
    super(store, cache, name, "timers");
  }

  /** The smallest key; undefined when there is none. */
  get first(): string | undefined {
    if (this.#first === null) {
      const [first] = this.entries();
      this.#first = first?.key;
    }
    return this.#first;
  }

  override put(timers: readonly (readonly [string, unknown])[]): void {
    super.put(timers);
    for (const [timer, set] of timers) {
      const first = this.#first;
      if (first === null) return;
      if (set === null) {
        if (timer === first) this.#first = null;
      } else if (first === undefined || timer < first) {
        this.#first = timer;
      }
    }
  }
}
