/** Cells: the keys of a commit, each with its value before and after, and where it was found. */
import type { Keyed } from "./key-map.ts";
import { hashOf, KeyMap } from "./key-map.ts";
import type { Page } from "./page.ts";

/** A key for the time of a commit. */
export class Cell implements Keyed<Cell> {
  readonly key: string;
  readonly hash: number;
  /** Undefined when it had no value. */
  before: unknown;
  /** Undefined when it was not changed; null when the key is taken away. */
  after: unknown;
  /** The page that it was read from, and its place there; undefined when it was not in a page. */
  page: Page | undefined;
  at = -1;
  /** It was looked for and is in no page: what it gets waits beside the pages. */
  beside = false;
  readonly next: Cell | undefined;

  constructor(key: string, hash: number, next: Cell | undefined) {
    this.key = key;
    this.hash = hash;
    this.before = undefined;
    this.after = undefined;
    this.page = undefined;
    this.next = next;
  }
}

export class Cells implements Iterable<Cell> {
  /** As they came. */
  readonly #list: Cell[] = [];
  readonly #byKey = new KeyMap<Cell>();
  /** Where in the list the last one stands that was asked for: keys are used in the order in which they were named. */
  #last = -1;

  get(key: string): Cell | undefined {
    const last = this.#list[this.#last];
    if (last?.key === key) return last;
    const following = this.#list[this.#last + 1];
    if (following?.key === key) {
      this.#last++;
      return following;
    }
    return this.#byKey.find(key);
  }

  /** A cell for a key that has none yet; undefined when it has one. */
  add(key: string): Cell | undefined {
    const hash = hashOf(key);
    if (this.#byKey.find(key, hash) !== undefined) return undefined;
    const cell = new Cell(key, hash, this.#byKey.first(hash));
    this.#byKey.add(cell, hash);
    this.#list.push(cell);
    return cell;
  }

  [Symbol.iterator](): IterableIterator<Cell> {
    return this.#list.values();
  }
}
