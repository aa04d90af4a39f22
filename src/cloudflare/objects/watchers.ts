/** Watchers: the feeds that a shard tells of its commits, kept over its sleep in one row. */
import { messageOf } from "../../errors.ts";
import type { StateStore } from "../../state/store.ts";
import type { FeedRpc, Namespace } from "../rpc.ts";
import { WATCH_VERSION } from "../rpc.ts";
import type { Awake } from "./awake.ts";

const ROW = "watchers";
const ROW_VERSION = 1;
/** A view's own feed, the health's, and those that a renamed view left behind. */
const MOST = 8;
/** Before a feed that did not answer is told again, ms; then it is left to the next commit. */
const RETRY_MS = [500, 2_000, 8_000, 30_000];

interface Row {
  readonly v: number;
  readonly feeds: readonly string[];
}

/** What is known of one feed since the shard woke up. */
interface Watcher {
  /** A commit that it has neither been told of nor seen. */
  dirty: boolean;
  /** It is being told, or is about to be. */
  telling: boolean;
  /** How long it wants to be left alone, ms, as it has said last; and until when, epoch milliseconds. */
  pause: number;
  quietUntil: number;
}

function newWatcher(): Watcher {
  return { dirty: false, telling: false, pause: 0, quietUntil: 0 };
}

/**
 * Each feed is told at most once in the time that it asks for, so that commits cost it, and the shard, next to nothing;
 * and not at all of what it has seen meanwhile, since another shard has told it first: it looks at all of them. One that
 * nobody watches any more is dropped: who watches again says so to the shard.
 */
export class Watchers {
  readonly #store: Pick<StateStore, "readMeta" | "writeMeta">;
  readonly #feeds: Namespace<FeedRpc>;
  readonly #awake: Awake;
  readonly #watchers = new Map<string, Watcher>();

  /** @param awake of the shard: what is to be told keeps it from sleeping. */
  constructor(store: Pick<StateStore, "readMeta" | "writeMeta">, feeds: Namespace<FeedRpc>, awake: Awake) {
    this.#store = store;
    this.#feeds = feeds;
    this.#awake = awake;
    for (const feed of this.#read()) this.#watchers.set(feed, newWatcher());
    // It may have died between a commit and telling of it.
    this.committed();
  }

  /** One row, when the feed is new. What is committed from now on it will be told of. */
  add(feed: string): void {
    const known = this.#watchers.has(feed);
    // Anew also when it is known: it may be about to be dropped, by an answer that is on its way.
    this.#watchers.set(feed, newWatcher());
    if (known) return;
    const [oldest] = this.#watchers.keys();
    if (this.#watchers.size > MOST && oldest !== undefined) this.#watchers.delete(oldest);
    this.#write();
  }

  committed(): void {
    for (const [feed, watcher] of this.#watchers) {
      watcher.dirty = true;
      if (!watcher.telling) void this.#awake.during(this.#tell(feed, watcher));
    }
  }

  /** A feed is reading what is committed. */
  seen(feed: string): void {
    const watcher = this.#watchers.get(feed);
    if (watcher === undefined) return;
    watcher.dirty = false;
    watcher.quietUntil = Date.now() + watcher.pause;
  }

  /** Never throws. */
  async #tell(feed: string, watcher: Watcher): Promise<void> {
    watcher.telling = true;
    try {
      // In a later turn: what is written in this one is then what it says.
      await Promise.resolve();
      for (let failures = 0; watcher.dirty && this.#watchers.get(feed) === watcher; ) {
        const quiet = watcher.quietUntil - Date.now();
        if (quiet > 0) {
          await sleep(quiet);
          continue;
        }
        watcher.dirty = false;
        const pause = await this.#changed(feed);
        if (pause === null) this.#drop(feed, watcher);
        else if (pause !== undefined) {
          watcher.pause = pause;
          watcher.quietUntil = Date.now() + pause;
        } else {
          const wait = RETRY_MS[failures++];
          if (wait === undefined) return;
          watcher.dirty = true;
          await sleep(wait);
        }
      }
    } finally {
      watcher.telling = false;
    }
  }

  /** @returns what the feed says; undefined when it does not answer. */
  async #changed(feed: string): Promise<number | null | undefined> {
    try {
      return await this.#feeds.getByName(feed).changed({ v: WATCH_VERSION });
    } catch (error) {
      console.warn(`the feed ${feed} was not told of a commit: ${messageOf(error)}`);
      return undefined;
    }
  }

  #drop(feed: string, watcher: Watcher): void {
    // Somebody may have begun to watch while it answered: then it was added again.
    if (this.#watchers.get(feed) !== watcher) return;
    this.#watchers.delete(feed);
    this.#write();
  }

  #read(): readonly string[] {
    const data = this.#store.readMeta(ROW);
    if (data === undefined) return [];
    const row = JSON.parse(new TextDecoder().decode(data)) as Row;
    return row.v === ROW_VERSION ? row.feeds : [];
  }

  #write(): void {
    const row: Row = { v: ROW_VERSION, feeds: [...this.#watchers.keys()] };
    this.#store.writeMeta(ROW, new TextEncoder().encode(JSON.stringify(row)));
  }
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
