/** Graveyard: keeps the messages that could not be applied at all, until someone looks at them or sends them again. */
import { DurableObject } from "cloudflare:workers";
import type { BuriedMessage } from "../../engine/operator-executor.ts";
import type { Plan } from "../../plan.ts";
import { queuesOf } from "../../plan.ts";
import { queueOf } from "../queue.ts";
import type { BuriedEntry, GraveyardRpc } from "../rpc.ts";

/** Extend it with the deployment's plan, which says where a message is sent again. */
export function graveyard(plan: Plan) {
  return class<Env> extends DurableObject<Env> implements GraveyardRpc {
    async bury(message: BuriedMessage): Promise<void> {
      this.#createTable();
      // A message may be delivered to its dead-letter queue's consumer more than once: it is kept once.
      this.ctx.storage.sql.exec(
        "INSERT INTO message (id, queue, reason, body, redrivable, time) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
        message.id,
        message.queue,
        message.reason,
        message.body,
        message.redrivable ? 1 : 0,
        Date.now(),
      );
    }

    async list(after: number, limit: number): Promise<BuriedEntry[]> {
      if (!this.#exists()) return [];
      return this.ctx.storage.sql
        .exec<Row>("SELECT * FROM message WHERE number > ? ORDER BY number LIMIT ?", after, limit)
        .toArray()
        .map((row) => ({ ...row, redrivable: row.redrivable === 1 }));
    }

    async count(): Promise<number> {
      if (!this.#exists()) return 0;
      return this.ctx.storage.sql.exec<{ n: number }>("SELECT COUNT(*) AS n FROM message").one().n;
    }

    async redrive(numbers: readonly number[]): Promise<number> {
      if (!this.#exists()) return 0;
      const { sql } = this.ctx.storage;
      let sent = 0;
      for (const number of numbers) {
        const [row] = sql.exec<Row>("SELECT * FROM message WHERE number = ?", number).toArray();
        const owner = queuesOf(plan).find(
          ({ queue }) => row?.queue === queue.queue || row?.queue === queue.deadLetterQueue,
        );
        if (row === undefined || row.redrivable === 0 || owner === undefined) continue;
        // It goes as it is, under its old identity: the shards that have applied it will say so.
        await queueOf(this.env as object, owner.queue).send([row.body]);
        sql.exec("DELETE FROM message WHERE number = ?", number);
        sent++;
      }
      return sent;
    }

    #exists(): boolean {
      return (
        this.ctx.storage.sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'message'").toArray().length > 0
      );
    }

    #createTable(): void {
      this.ctx.storage.sql.exec(
        "CREATE TABLE IF NOT EXISTS message (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, queue TEXT NOT NULL, reason TEXT NOT NULL, body TEXT NOT NULL, redrivable INTEGER NOT NULL, time INTEGER NOT NULL)",
      );
    }
  };
}

type Row = {
  number: number;
  id: string;
  queue: string;
  reason: string;
  body: string;
  redrivable: number;
  time: number;
};
