/**
 * Claims: decides, for one client producer, which plan's routing of each of its segments counts.
 *
 * A client may send a segment again after a deploy that routes differently. Both copies are in the queue; were each
 * applied where it says, an event could count twice. The first copy to be consumed claims the segment for its plan,
 * before any shard sees it; copies of other plans are then dropped as duplicates. One row a batch.
 */
import { DurableObject } from "cloudflare:workers";
import { ProducerKind } from "../../engine/segment.ts";
import { StateError } from "../../errors.ts";
import { AppliedSegments } from "../../state/applied-segments.ts";
import type { ClaimsRpc } from "../rpc.ts";

const DAY = 86_400_000;
/** Longer than a segment may be under way: what is forgotten can no longer come. */
const RETENTION = 16 * DAY;

export class Claims extends DurableObject implements ClaimsRpc {
  #claimed: Map<string, AppliedSegments> | undefined;

  async claim(producer: string, fingerprint: string, sequences: readonly number[]): Promise<boolean[]> {
    const claimed = this.#load();
    const own = claimed.get(fingerprint) ?? new AppliedSegments();
    let added = false;
    const held = sequences.map((sequence) => {
      for (const [other, segments] of claimed) {
        const status = segments.status(producer, sequence);
        if (status === "forgotten")
          throw new StateError(`claims of ${producer}: too many gaps to tell about ${sequence}`);
        if (status === "applied") return other === fingerprint;
      }
      own.add(producer, sequence, { kind: ProducerKind.client, source: "", arrival: 0 });
      added = true;
      claimed.set(fingerprint, own);
      return true;
    });
    if (added) await this.#store(fingerprint, own);
    return held;
  }

  async prefix(producer: string): Promise<number> {
    let prefix = 0;
    const claimed = [...this.#load().values()];
    for (let moved = true; moved; ) {
      moved = false;
      for (const segments of claimed) {
        while (segments.status(producer, prefix) === "applied") {
          prefix = Math.max(prefix + 1, segments.record(producer)?.prefix ?? 0);
          moved = true;
        }
      }
    }
    return prefix;
  }

  /** Nothing of a producer that has been silent for so long can still be under way. */
  override async alarm(): Promise<void> {
    const [row] = this.ctx.storage.sql
      .exec<{ used: number }>("SELECT MAX(used) AS used FROM claim")
      .toArray();
    if (row !== undefined && row.used > Date.now() - RETENTION) {
      await this.ctx.storage.setAlarm(row.used + RETENTION + DAY);
      return;
    }
    this.#claimed = undefined;
    await this.ctx.storage.deleteAll();
  }

  #load(): Map<string, AppliedSegments> {
    if (this.#claimed !== undefined) return this.#claimed;
    const { sql } = this.ctx.storage;
    this.#claimed = new Map();
    if (sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'claim'").toArray().length === 0)
      return this.#claimed;
    for (const row of sql.exec<{ fingerprint: string; bits: ArrayBuffer }>(
      "SELECT fingerprint, bits FROM claim",
    )) {
      this.#claimed.set(row.fingerprint, AppliedSegments.decode(new Uint8Array(row.bits)));
    }
    return this.#claimed;
  }

  async #store(fingerprint: string, segments: AppliedSegments): Promise<void> {
    const { sql } = this.ctx.storage;
    const fresh = sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'claim'").toArray().length === 0;
    if (fresh) {
      sql.exec(
        "CREATE TABLE claim (fingerprint TEXT PRIMARY KEY, bits BLOB NOT NULL, used INTEGER NOT NULL) WITHOUT ROWID",
      );
    }
    sql.exec(
      "INSERT INTO claim (fingerprint, bits, used) VALUES (?, ?, ?) ON CONFLICT (fingerprint) DO UPDATE SET bits = excluded.bits, used = excluded.used",
      fingerprint,
      segments.encode().buffer as ArrayBuffer,
      Date.now(),
    );
    if (fresh) await this.ctx.storage.setAlarm(Date.now() + RETENTION + DAY);
  }
}
