/**
 * Gate: maps idempotency keys to the identities of segments, for 24 hours.
 *
 * The identity is stored before the request is sent, so a retry after any failure is the same segment again, which the
 * shards count once. Two rows a key: one written, one deleted when it has expired.
 */
import { DurableObject } from "cloudflare:workers";
import { randomId } from "../../engine/producer.ts";
import type { GateRpc, KeyAdmission } from "../rpc.ts";

const HOUR = 3_600_000;
const RETENTION = 24 * HOUR;

export class Gate extends DurableObject implements GateRpc {
  #next: { producer: string; sequence: number } | undefined;

  async admit(key: string, body: string): Promise<KeyAdmission> {
    const { sql } = this.ctx.storage;
    const next = this.#open();
    const [known] = sql
      .exec<{ sequence: number; body: string; time: number }>(
        "SELECT sequence, body, time FROM request WHERE key = ?",
        key,
      )
      .toArray();
    if (known !== undefined && known.time > Date.now() - RETENTION) {
      if (known.body !== body) return { conflict: true };
      return { conflict: false, id: { producer: next.producer, sequence: known.sequence } };
    }
    const { producer, sequence } = next;
    next.sequence++;
    sql.exec(
      "INSERT INTO request (key, sequence, body, time) VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET sequence = excluded.sequence, body = excluded.body, time = excluded.time",
      key,
      sequence,
      body,
      Date.now(),
    );
    if ((await this.ctx.storage.getAlarm()) === null)
      await this.ctx.storage.setAlarm(Date.now() + RETENTION + HOUR);
    return { conflict: false, id: { producer, sequence }, fresh: true };
  }

  /** Deletes what has expired; what numbers were given stays known. */
  override async alarm(): Promise<void> {
    const { sql } = this.ctx.storage;
    const { producer, sequence } = this.#open();
    this.ctx.storage.transactionSync(() => {
      sql.exec("UPDATE producer SET next = ? WHERE id = ?", sequence, producer);
      sql.exec("DELETE FROM request WHERE time <= ?", Date.now() - RETENTION);
    });
    const { left } = sql.exec<{ left: number }>("SELECT COUNT(*) AS left FROM request").one();
    if (left > 0) await this.ctx.storage.setAlarm(Date.now() + HOUR);
  }

  #open(): { producer: string; sequence: number } {
    if (this.#next !== undefined) return this.#next;
    const { sql } = this.ctx.storage;
    sql.exec(
      "CREATE TABLE IF NOT EXISTS producer (id TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID",
    );
    sql.exec(
      "CREATE TABLE IF NOT EXISTS request (key TEXT PRIMARY KEY, sequence INTEGER NOT NULL, body TEXT NOT NULL, time INTEGER NOT NULL) WITHOUT ROWID",
    );
    let [producer] = sql.exec<{ id: string; next: number }>("SELECT id, next FROM producer").toArray();
    if (producer === undefined) {
      producer = { id: randomId(), next: 0 };
      sql.exec("INSERT INTO producer (id, next) VALUES (?, 0)", producer.id);
    }
    const { last } = sql.exec<{ last: number | null }>("SELECT MAX(sequence) AS last FROM request").one();
    this.#next = { producer: producer.id, sequence: Math.max(producer.next, (last ?? -1) + 1) };
    return this.#next;
  }
}
