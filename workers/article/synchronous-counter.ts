/**
 * SynchronousCounter: a backend as it was before the stream: it works while its visitor waits, one visit after the other.
 *
 * It is the article's "before", kept to be measured beside the stream, and no way to build anything: a visitor waits for
 * all who came before him, a visit that is repeated counts twice, and one that is cut off is lost without a trace. What
 * it keeps and how long it lets a queue of visitors grow are bounded, since anybody may call it who may send events.
 */
import { DurableObject } from "cloudflare:workers";

export interface SynchronousRpc {
  /** Works for so long when it is this visit's turn, counts it, and only then answers. */
  visit(url: string, workMs: number): Promise<Visited | Full>;
}

export interface Visited {
  readonly count: number;
  /** From when the visit came to the object to when it was counted: the turn waited for, and the work. */
  readonly waitedMs: number;
}

/** So much work waits already that another visit is not taken. */
export interface Full {
  readonly full: true;
  readonly aheadMs: number;
}

/** URLs that are remembered; the one not seen for the longest makes room for a new one. */
export const MAX_URLS = 1000;
/** Work that may wait, one visit after the other. */
export const MAX_AHEAD_MS = 20_000;

export class SynchronousCounter extends DurableObject implements SynchronousRpc {
  #last: Promise<void> = Promise.resolve();
  #aheadMs = 0;

  async visit(url: string, workMs: number): Promise<Visited | Full> {
    if (this.#aheadMs + workMs > MAX_AHEAD_MS) return { full: true, aheadMs: this.#aheadMs };
    const arrived = Date.now();
    const turn = this.#last;
    const done = Promise.withResolvers<void>();
    this.#last = done.promise;
    // Visits without any work are few milliseconds each; so their number has a bound as well.
    const share = Math.max(1, workMs);
    this.#aheadMs += share;
    try {
      await turn;
      if (workMs > 0) await scheduler.wait(workMs);
      return { count: this.#count(url), waitedMs: Date.now() - arrived };
    } finally {
      this.#aheadMs -= share;
      done.resolve();
    }
  }

  #count(url: string): number {
    const { sql } = this.ctx.storage;
    sql.exec(
      "CREATE TABLE IF NOT EXISTS visit (url TEXT PRIMARY KEY, count INTEGER NOT NULL, seen INTEGER NOT NULL) WITHOUT ROWID",
    );
    const [known] = sql.exec<{ count: number }>("SELECT count FROM visit WHERE url = ?", url).toArray();
    if (known === undefined) {
      sql.exec(
        "DELETE FROM visit WHERE url IN (SELECT url FROM visit ORDER BY seen DESC LIMIT -1 OFFSET ?)",
        MAX_URLS - 1,
      );
    }
    const { count } = sql
      .exec<{ count: number }>(
        "INSERT INTO visit (url, count, seen) VALUES (?, 1, ?) ON CONFLICT (url) DO UPDATE SET count = count + 1, seen = excluded.seen RETURNING count",
        url,
        Date.now(),
      )
      .one();
    return count;
  }
}
