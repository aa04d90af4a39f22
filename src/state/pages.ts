/**
 * Pages: the pages of one state: which there are, which of them are in memory, and which stay there until they are written.
 *
 * A page as it is stored may leave memory at any time; one with changed values may not, since nothing else has them but the log.
 */
import type { Cell } from "./cells.ts";
import { KeyIndex } from "./key-index.ts";
import { standingAlone } from "./key-text.ts";
import { sizeOf } from "./overlay.ts";
import { Page } from "./page.ts";
import type { PageCache } from "./page-cache.ts";
import type { Place } from "./page-directory.ts";
import { PageDirectory } from "./page-directory.ts";
import { cut } from "./page-rewriting.ts";
import type { PageInfo, PageSpace, StateStore } from "./store.ts";

/** Keys that are looked for together, and pages that may be read from storage for them: those are held until they are found. */
const GROUP_KEYS = 1_024;
const GROUP_READS = 16;

let instances = 0;

/** Where in their pages the keys of a group are: reused. */
const found = new Int32Array(GROUP_KEYS);
const known = new Int32Array(GROUP_KEYS);

export class Pages {
  readonly #store: StateStore;
  readonly #cache: PageCache;
  /** Tells them from those of other states in the shared cache. */
  readonly #owner: string;
  readonly #space: PageSpace;
  readonly #directory: PageDirectory;
  #nextId: number;
  #bytes = 0;
  #pinnedBytes = 0;
  #pinned = 0;
  #changes = 0;
  /** The changed pages that the checkpoint that is under way has still to write, in order. */
  readonly #due = new Set<Place>();

  /** @param name for the cache; each instance gets a space of its own there, since one that failed may have left pages that were never stored. */
  constructor(store: StateStore, cache: PageCache, name: string, space: PageSpace) {
    this.#store = store;
    this.#cache = cache;
    this.#space = space;
    this.#owner = `${name}#${++instances}`;
    const pages = store.listPages(space);
    this.#directory = new PageDirectory(pages.map((info) => this.#placeOf(info)));
    this.#nextId = pages.reduce((next, page) => Math.max(next, Math.abs(page.id) + 1), 1);
  }

  get length(): number {
    return this.#directory.length;
  }

  /** How many have changed values. */
  get pinned(): number {
    return this.#pinned;
  }

  /** Changed values in them: those that wait for the next checkpoint, or the one that is under way. */
  get changes(): number {
    return this.#changes;
  }

  /** Bytes that all would take in memory, about, but for those that have not been read yet. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes that those with changed values take, about. */
  get pinnedBytes(): number {
    return this.#pinnedBytes;
  }

  /** Whether the checkpoint has written all changed pages that it has to. */
  get settled(): boolean {
    return this.#due.size === 0;
  }

  /** The next changed page that the checkpoint has to write; Infinity when there is none. */
  get nextDue(): number {
    const [due] = this.#due;
    return due === undefined ? Number.POSITIVE_INFINITY : this.indexFor(due.first);
  }

  at(index: number): Place | undefined {
    return this.#directory.at(index);
  }

  /** Where the page that a key belongs to is among all; −1 when there are none. */
  indexFor(key: string): number {
    return this.#directory.indexFor(key);
  }

  placeFor(key: string): Place | undefined {
    return this.#directory.placeFor(key);
  }

  /** What has changed until now is what the checkpoint writes. */
  freeze(): void {
    for (const place of this.#directory) if (place.changed !== undefined) this.#due.add(place);
  }

  load(place: Place): Page {
    return this.held(place) ?? this.#fetch(place);
  }

  /** A page that is in memory. */
  held(place: Place): Page | undefined {
    return place.changed ?? this.#cache.get(place.cached);
  }

  /**
   * Looks for keys in the pages that they belong to, for a commit; there must be some. Each page is read at most once, and keys are
   * looked for in many pages at once: see KeyIndex.
   */
  read(wanted: readonly Cell[]): void {
    const { keys: cells, places } = this.#directory.byPlace(wanted);
    for (let at = 0; at < cells.length; ) {
      const sought: Cell[] = [];
      const pages: Page[] = [];
      const indexes: KeyIndex[] = [];
      let place: Place | undefined;
      let page: Page | undefined;
      let reads = 0;
      for (; at < cells.length && sought.length < GROUP_KEYS && reads < GROUP_READS; at++) {
        const cell = cells[at] as Cell;
        const its = this.#directory.at(places[at] as number) as Place;
        if (page === undefined || its !== place) {
          place = its;
          page = this.held(place);
          if (page === undefined) {
            page = this.#fetch(place);
            reads++;
          }
        }
        cell.place = place;
        cell.page = page.serial;
        const index = page.keys.index();
        if (index === undefined) {
          find(cell, page, page.keys.find(cell.key));
          continue;
        }
        known[sought.length] = place.shared;
        sought.push(cell);
        pages.push(page);
        indexes.push(index);
      }
      KeyIndex.locate(indexes, sought, known, found);
      for (let n = 0; n < sought.length; n++) find(sought[n] as Cell, pages[n] as Page, found[n] as number);
    }
  }

  /** Changes a value in its page, which stays until it is written. @returns false when it may not. */
  change(place: Place, page: Page, at: number, value: unknown): boolean {
    if (place.changed === undefined && !this.#pin(place, page)) return false;
    const more = sizeOf(value) - sizeOf(page.get(at));
    this.#pinnedBytes += more;
    if (page.change(at, value, more)) this.#changes++;
    return true;
  }

  /** A page stays in memory until it is written. @returns false when it may not. */
  #pin(place: Place, page: Page): boolean {
    if (!this.#cache.mayPin(page.bytes)) return false;
    this.#cache.delete(place.cached);
    place.changed = page;
    this.#pinnedBytes += page.bytes;
    this.#pinned++;
    return true;
  }

  /**
   * Writes a page that has changed, or its pieces.
   *
   * @param place undefined where there was none.
   * @param rekeyed whether it has other keys than what is stored.
   * @returns how many pages.
   */
  write(index: number, place: Place | undefined, page: Page, rekeyed: boolean): number {
    if (place !== undefined) {
      this.#unpin(place);
      if (!rekeyed && this.#writeValues(place, page)) return 1;
    }
    if (page.keys.length === 0 && index !== 0) {
      if (place === undefined) return 0;
      // The first page stays, since it is where the smallest keys belong.
      this.#store.deletePage(place.id);
      this.#cache.delete(place.cached);
      this.#bytes -= place.bytes;
      this.#directory.remove(index);
      return 1;
    }
    const pieces = cut(page);
    pieces.forEach((piece, n) => {
      const kept = n === 0;
      const id = kept && place !== undefined ? place.id : this.#newId();
      // Not a key that has been taken out: its text would stay in the directory.
      const first = kept && index <= 0 ? "" : piece.page.keys.get(0);
      const written = kept && place?.first === first ? place : this.#placeOf({ id, first });
      this.#store.writePage({ id, first }, piece.data);
      this.#keep(written, piece.page);
      if (written === place) return;
      const instead = kept && place !== undefined;
      if (instead) this.#bytes -= place.bytes;
      this.#directory.put(Math.max(index, 0) + n, written, instead ? 1 : 0);
    });
    return pieces.length;
  }

  /** Writes the values of a page whose keys are stored as they are. @returns false when it is better written whole. */
  #writeValues(place: Place, page: Page): boolean {
    const values = page.encodeValues();
    if (values === undefined) return false;
    this.#store.writeValues(place.id, values);
    this.#keep(place, page);
    return true;
  }

  /** A page is written: it need not stay any more. */
  #unpin(place: Place): void {
    const page = place.changed;
    if (page === undefined) return;
    this.#pinnedBytes -= page.bytes;
    this.#pinned--;
    this.#changes -= page.changes;
    page.written();
    place.changed = undefined;
    this.#due.delete(place);
  }

  #newId(): number {
    const id = this.#nextId++;
    return this.#space === "state" ? id : -id;
  }

  #placeOf({ id, first }: PageInfo): Place {
    return {
      id,
      first: standingAlone(first),
      cached: `${this.#owner}/${id}`,
      changed: undefined,
      bytes: 0,
      shared: 0,
    };
  }

  #fetch(place: Place): Page {
    const data = this.#store.readPage(place.id);
    if (data === undefined) throw new Error(`state page ${place.id} is missing`);
    const page = Page.decode(data, this.#store.readValues(place.id));
    this.#keep(place, page);
    return page;
  }

  /** A page is in memory as it is stored. */
  #keep(place: Place, page: Page): void {
    this.#bytes += page.bytes - place.bytes;
    place.bytes = page.bytes;
    this.#cache.set(place.cached, page, page.bytes);
  }
}

/** A key was looked for in its page. @param at where it is there, negative when it is not. */
function find(cell: Cell, page: Page, at: number): void {
  if (at < 0) {
    cell.beside = true;
    return;
  }
  cell.before = page.get(at);
  cell.at = at;
}
