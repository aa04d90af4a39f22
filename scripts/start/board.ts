/** Board: shows the counts that have changed, at most twice a second, reading only the keys that it shows. */
import type { ViewKey } from "./lineage.ts";
import { type Count, PERIOD_MS } from "./screen.ts";

export interface BoardOptions {
  /** The value of a key; undefined when it has none. */
  readonly read: (at: ViewKey) => Promise<unknown>;
  /** `more` keys have changed besides those shown. */
  readonly show: (view: string, counts: readonly Count[], more: number) => void;
}

const SHOWN_KEYS = 10;
/** What comes within it is one block. */
const COALESCE_MS = 40;
/** Keys that are told apart between two blocks; beyond, they are only counted. */
const MAX_KEYS = 10_000;

/** How often each key has changed since it was last shown. */
interface Changes {
  readonly keys: Map<string, number>;
  /** Changes of keys that are not told apart. */
  others: number;
}

export class Board {
  readonly #options: BoardOptions;
  #changes = new Map<string, Changes>();
  #loop: Promise<void> | undefined;

  constructor(options: BoardOptions) {
    this.#options = options;
  }

  changed({ view, key }: ViewKey): void {
    const changes = this.#changes.get(view) ?? { keys: new Map<string, number>(), others: 0 };
    this.#changes.set(view, changes);
    const known = changes.keys.get(key);
    if (known === undefined && changes.keys.size >= MAX_KEYS) changes.others++;
    else changes.keys.set(key, (known ?? 0) + 1);
    this.#loop ??= this.#run();
  }

  /** Waits until everything that has changed is shown. */
  async settle(): Promise<void> {
    while (this.#loop !== undefined) await this.#loop;
  }

  async #run(): Promise<void> {
    await sleep(COALESCE_MS);
    while (this.#changes.size > 0) {
      const changes = this.#changes;
      this.#changes = new Map();
      await Promise.all([...changes].map(([view, changed]) => this.#show(view, changed)));
      await sleep(PERIOD_MS);
    }
    this.#loop = undefined;
  }

  async #show(view: string, { keys, others }: Changes): Promise<void> {
    const busiest = [...keys].sort(([, a], [, b]) => b - a).slice(0, SHOWN_KEYS);
    const read = busiest.map(async ([key]): Promise<Count[]> => {
      const value = await this.#options.read({ view, key });
      return value === undefined ? [] : [{ key, value }];
    });
    const counts = (await Promise.all(read)).flat().sort(byValue);
    if (counts.length > 0) this.#options.show(view, counts, keys.size - busiest.length + others);
  }
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Numbers descending, ties by key. */
function byValue(a: Count, b: Count): number {
  const difference = Number(b.value) - Number(a.value);
  if (difference !== 0 && !Number.isNaN(difference)) return difference;
  return a.key < b.key ? -1 : 1;
}
