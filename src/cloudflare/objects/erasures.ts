/**
 * Erasures: carries out what was asked to be forgotten, driven by its alarm, and keeps the reports.
 *
 * An erasure is one row, written over with each step that is done, so that a run that dies is taken up where it was. The
 * row of a finished one has no key in it. What the platform keeps of a Durable Object for point-in-time recovery, 30
 * days, is out of reach.
 */
import { DurableObject } from "cloudflare:workers";
import type { Erasure, ErasurePorts, ErasureReport } from "../../engine/erasure/erasure.ts";
import { newErasure, reportOf } from "../../engine/erasure/erasure.ts";
import { continueErasure } from "../../engine/erasure/erasure-run.ts";
import { randomId } from "../../engine/producer.ts";
import type { Plan } from "../../plan.ts";
import type { ErasuresRpc, Namespace, ShardRpc } from "../rpc.ts";
import { shardName } from "../rpc.ts";

/** If a run dies, the next begins after so long. */
const SAFETY_MS = 60_000;
const DAY = 86_400_000;
/** How long a report is kept. */
const RETENTION = 400 * DAY;

/** Besides these, the buckets of file sinks. */
export interface ErasuresEnv {
  readonly SHARD: Namespace<ShardRpc>;
}

/** Extend it with the deployment's plan, which says where a key can be. */
export function erasures(plan: Plan) {
  return class<Env extends ErasuresEnv> extends DurableObject<Env> implements ErasuresRpc {
    async start(view: string, key: string): Promise<ErasureReport> {
      const now = Date.now();
      const { sql } = this.ctx.storage;
      sql.exec(
        "CREATE TABLE IF NOT EXISTS erasure (id TEXT PRIMARY KEY, erasure TEXT NOT NULL, next INTEGER, finished INTEGER) WITHOUT ROWID",
      );
      sql.exec("DELETE FROM erasure WHERE finished < ?", now - RETENTION);
      const erasure = newErasure(randomId(), view, key, now);
      this.#save(erasure);
      await this.ctx.storage.setAlarm(now);
      return reportOf(erasure);
    }

    async report(id: string): Promise<ErasureReport | null> {
      if (!this.#exists()) return null;
      const [row] = this.ctx.storage.sql
        .exec<{ erasure: string }>("SELECT erasure FROM erasure WHERE id = ?", id)
        .toArray();
      return row === undefined ? null : reportOf(JSON.parse(row.erasure) as Erasure);
    }

    /** Takes up one erasure that is due: what a run may ask for is limited. The alarm is set first, in case it dies. */
    override async alarm(): Promise<void> {
      if (!this.#exists()) return;
      const { storage } = this.ctx;
      await storage.setAlarm(Date.now() + SAFETY_MS);
      const [due] = storage.sql
        .exec<{ erasure: string }>(
          "SELECT erasure FROM erasure WHERE next <= ? ORDER BY next LIMIT 1",
          Date.now(),
        )
        .toArray();
      if (due !== undefined) {
        await continueErasure(plan, JSON.parse(due.erasure) as Erasure, this.#ports(), () => Date.now());
      }
      const { next } = storage.sql
        .exec<{ next: number | null }>("SELECT MIN(next) AS next FROM erasure")
        .one();
      if (next === null) await storage.deleteAlarm();
      else await storage.setAlarm(next);
    }

    #ports(): ErasurePorts {
      const shardOf = (operator: string, shard: number) =>
        this.env.SHARD.getByName(shardName(plan.generation, operator, shard));
      return {
        forget: (operator, shard, key, released) => shardOf(operator, shard).forget(key, released),
        wipe: (operator, shard, marks) => shardOf(operator, shard).wipe(marks),
        redrive: (operator, shard, numbers) => shardOf(operator, shard).redrive(numbers),
        env: this.env as unknown as Readonly<Record<string, unknown>>,
        save: (erasure) => this.#save(erasure),
      };
    }

    #save(erasure: Erasure): void {
      this.ctx.storage.sql.exec(
        "INSERT INTO erasure (id, erasure, next, finished) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET erasure = excluded.erasure, next = excluded.next, finished = excluded.finished",
        erasure.id,
        JSON.stringify(erasure),
        erasure.work?.next ?? null,
        erasure.finished ?? null,
      );
    }

    #exists(): boolean {
      const { sql } = this.ctx.storage;
      return sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'erasure'").toArray().length > 0;
    }
  };
}
