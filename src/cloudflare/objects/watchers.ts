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
/** A feed that was to look, and has not for so long, is told again with the next commit. */
const EXPECTED_MS = 5_000;
/** Before a feed that did not answer is told again, ms; then it is left to the next commit. */
const RETRY_MS = [500, 2_000, 8_000, 30_000];

interface Row {
  readonly v: number;
  readonly feeds: readonly string[];
}

/** What is known of one feed since the shard woke up. */
interface Watcher {
  /** Commits since it has looked. */
  commits: number;
  /** Until when it is taken for granted that it looks again, epoch milliseconds: it was told, or has promised to. */
  expectedUntil: number;
  telling: boolean;
}

function newWatcher(): Watcher {
  return { commits: 0, expectedUntil: 0, telling: false };
}

/**
 * A feed is told of the first commit after it has looked; where a second one came before its next look it looks again by
 * itself, and need not be told at all. So however fast commits come, they cost the shard a few calls a second, and no waiting:
 * what waits is billed. A feed that nobody watches any more is dropped: who watches again says so to the shard.
 */
export class Watchers {
  readonly #store: Pick<StateStore, "readMeta" | "writeMeta">;
  readonly #feeds: Namespace<FeedRpc>;
  readonly #awake: Awake;
  readonly #watchers = new Map<string, Watcher>();

  /** @param awake of the shard: while it tells it does not sleep. */
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
      watcher.commits++;
      if (!watcher.telling && isDue(watcher)) void this.#awake.during(this.#tell(feed, watcher));
    }
  }

  /**
   * A feed is reading what is committed.
   *
   * @param asks whether it would look again by itself.
   * @returns whether it is to.
   */
  seen(feed: string, asks: boolean): boolean {
    const watcher = this.#watchers.get(feed);
    if (watcher === undefined) return false;
    const again = asks && watcher.commits > 1;
    watcher.commits = 0;
    watcher.expectedUntil = again ? Date.now() + EXPECTED_MS : 0;
    return again;
  }

  /** Never throws. */
  async #tell(feed: string, watcher: Watcher): Promise<void> {
    watcher.telling = true;
    try {
      // In a later turn: what is written in this one is then what it says.
      await Promise.resolve();
      // It may look, and the shard commit, before it has answered.
      for (let failures = 0; this.#watchers.get(feed) === watcher && isDue(watcher); ) {
        watcher.expectedUntil = Date.now() + EXPECTED_MS;
        const answer = await this.#changed(feed);
        if (answer === null) this.#drop(feed, watcher);
        if (answer !== undefined) continue;
        watcher.expectedUntil = 0;
        const wait = RETRY_MS[failures++];
        if (wait === undefined) return;
        await sleep(wait);
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

/** Whether it is to be told of a commit. */
function isDue({ commits, expectedUntil }: Watcher): boolean {
  return commits > 0 && Date.now() >= expectedUntil;
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
