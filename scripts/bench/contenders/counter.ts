/** Counter: the Durable Object of the contenders: a row per URL, written for each event. */
import { DurableObject } from "cloudflare:workers";
import type { Namespace } from "./platform.ts";
import { objectOf, SHARDS } from "./platform.ts";

export interface CounterRpc {
  add(urls: readonly string[]): Promise<void>;
  get(url: string): Promise<number | null>;
  total(): Promise<number>;
}

export class Counter extends DurableObject implements CounterRpc {
  #total: number | undefined;

  /** One event, or, for who has many at once, all of them in one turn. */
  async add(urls: readonly string[]): Promise<void> {
    const total = this.#open();
    for (const url of urls) {
      this.ctx.storage.sql.exec(
        "INSERT INTO views (url, n) VALUES (?, 1) ON CONFLICT (url) DO UPDATE SET n = n + 1",
        url,
      );
    }
    this.#total = total + urls.length;
  }

  async get(url: string): Promise<number | null> {
    this.#open();
    const [row] = this.ctx.storage.sql.exec("SELECT n FROM views WHERE url = ?", url).toArray();
    return (row?.n as number | undefined) ?? null;
  }

  async total(): Promise<number> {
    return this.#open();
  }

  /** Counted once, so that the bench may ask for it often. */
  #open(): number {
    if (this.#total === undefined) {
      const { sql } = this.ctx.storage;
      sql.exec("CREATE TABLE IF NOT EXISTS views (url TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID");
      const [row] = sql.exec("SELECT SUM(n) AS total FROM views").toArray();
      this.#total = Number(row?.total ?? 0);
    }
    return this.#total;
  }
}

/** Reads, as Millrace answers them. */
export async function answer(url: URL, counters: Namespace<CounterRpc>): Promise<Response> {
  const key = url.searchParams.get("key");
  if (key === null) {
    const totals = Array.from({ length: SHARDS }, (_, n) => counters.getByName(`counter-${n}`).total());
    return Response.json({ total: (await Promise.all(totals)).reduce((sum, total) => sum + total, 0) });
  }
  const value = await counters.getByName(objectOf(key)).get(key);
  return value === null ? Response.json({ key }, { status: 404 }) : Response.json({ key, value });
}
