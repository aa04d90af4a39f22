/** Cells: the keys of a commit, each with its value before and after, and where it was found. */
import type { Keyed } from "./key-map.ts";
import { hashOf, KeyMap } from "./key-map.ts";
import type { Place } from "./page-directory.ts";

/** A key for the time of a commit. */
export class Cell implements Keyed {
  readonly key: string;
  readonly hash: number;
  /** Undefined when it had no value. */
  before: unknown;
  /** Undefined when it was not changed; null when the key is taken away. */
  after: unknown;
  /** Where it was read from: the place, the page's serial number, and where it is in that. A place alone keeps no page in memory. */
  place: Place | undefined;
  page = 0;
  at = -1;
  /** It was looked for and is in no page: what it gets waits beside the pages. */
  beside = false;

  constructor(key: string, hash: number) {
    this.key = key;
    this.hash = hash;
    this.before = undefined;
    this.after = undefined;
    this.place = undefined;
  }
}

export class Cells {
  readonly #cells: KeyMap<Cell>;
  /** Where in the list the last one stands that was asked for: keys are used in the order in which they were named. */
  #last = -1;

  /** @param expected about how many there will be. */
  constructor(expected?: number) {
    this.#cells = new KeyMap(expected);
  }

  /** As they came. */
  get list(): readonly Cell[] {
    return this.#cells.entries;
  }

  get(key: string): Cell | undefined {
    const list = this.#cells.entries;
    const last = list[this.#last];
    if (last?.key === key) return last;
    const following = list[this.#last + 1];
    if (following?.key === key) {
      this.#last++;
      return following;
    }
    return this.#cells.find(key, hashOf(key));
  }

  /** A cell for a key that has none yet; undefined when it has one. */
  add(key: string): Cell | undefined {
    const hash = hashOf(key);
    if (this.#cells.find(key, hash) !== undefined) return undefined;
    const cell = new Cell(key, hash);
    this.#cells.add(cell);
    return cell;
  }
}
