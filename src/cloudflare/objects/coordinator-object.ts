/** CoordinatorObject: the watermarks of one job as a Durable Object: one row of state, rounds in the background and by alarm. */
import { DurableObject } from "cloudflare:workers";
import { systemClock } from "../../clock.ts";
import type { CoordinatorState } from "../../engine/watermark/coordinator.ts";
import { Coordinator } from "../../engine/watermark/coordinator.ts";
import type {
  Admission,
  Admitted,
  CommitReport,
  HoldReport,
  Want,
  WatermarkStatus,
} from "../../engine/watermark/protocol.ts";
import { messageOf, PlanError } from "../../errors.ts";
import type { Plan } from "../../plan.ts";
import type { CoordinatorRpc, Namespace, ShardRpc } from "../rpc.ts";
import { advanceShard } from "../rpc.ts";
import { Alarm } from "./alarm.ts";

export interface CoordinatorEnv {
  readonly SHARD: Namespace<ShardRpc>;
}

/** Extend it with the deployment's plan: `export class CoordinatorObject extends coordinatorObject(plan) {}`. */
export function coordinatorObject(plan: Plan) {
  return class<Env extends CoordinatorEnv> extends DurableObject<Env> implements CoordinatorRpc {
    #coordinator: Coordinator | undefined;
    readonly #alarm = new Alarm(this.ctx.storage);
    #running = false;

    async holds(report: HoldReport): Promise<void> {
      this.#do((coordinator) => coordinator.holds(report));
    }

    async committed(report: CommitReport): Promise<void> {
      this.#do((coordinator) => coordinator.committed(report));
    }

    async admit(admission: Admission): Promise<Admitted> {
      return this.#do((coordinator) => coordinator.admit(admission));
    }

    async want(want: Want): Promise<void> {
      this.#do((coordinator) => coordinator.want(want));
    }

    async status(): Promise<WatermarkStatus> {
      return this.#open().status();
    }

    override async alarm(): Promise<void> {
      this.#alarm.goneOff();
      const coordinator = this.#open();
      if (coordinator.nextDue() === undefined) return;
      await this.#alarm.serve(async () => {
        await this.#rounds(coordinator);
        return coordinator.nextDue();
      });
    }

    /** Changes the coordinator in one turn, in which the change, and the alarm for what follows, become durable. */
    #do<T>(work: (coordinator: Coordinator) => T): T {
      const coordinator = this.#open();
      const result = work(coordinator);
      if (this.#alarm.promise(coordinator.nextDue()) && !this.#running)
        this.ctx.waitUntil(this.#runAndArm(coordinator));
      return result;
    }

    async #runAndArm(coordinator: Coordinator): Promise<void> {
      await this.#rounds(coordinator);
      await this.#alarm.next(coordinator.nextDue());
    }

    async #rounds(coordinator: Coordinator): Promise<void> {
      this.#running = true;
      try {
        await coordinator.run();
      } catch (error) {
        console.error(`${this.ctx.id.name ?? "coordinator"}: ${messageOf(error)}`);
      } finally {
        this.#running = false;
      }
    }

    #open(): Coordinator {
      this.#coordinator ??= new Coordinator({
        plan,
        job: this.#job,
        clock: systemClock,
        store: new StateRow(this.ctx.storage.sql),
        advance: (call) => advanceShard(this.env.SHARD, call),
        onError: (error, about) => console.error(`${about}: ${messageOf(error)}`),
      });
      return this.#coordinator;
    }

    get #job(): string {
      const job = this.ctx.id.name?.split("/")[1] ?? "";
      if (plan.jobs.some((one) => one.job === job)) return job;
      throw new PlanError(`object ${this.ctx.id.name ?? "without a name"}: no such job`);
    }
  };
}

/** The state as one row, written when it has changed: rows are billed. */
class StateRow {
  readonly #sql: SqlStorage;
  #written: string | undefined;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec("CREATE TABLE IF NOT EXISTS state (id INTEGER PRIMARY KEY, data TEXT NOT NULL)");
  }

  load(): CoordinatorState | undefined {
    const [row] = this.#sql.exec<{ data: string }>("SELECT data FROM state WHERE id = 0").toArray();
    this.#written = row?.data;
    return row === undefined ? undefined : (JSON.parse(row.data) as CoordinatorState);
  }

  save(state: CoordinatorState): void {
    const data = JSON.stringify(state);
    if (data === this.#written) return;
    this.#sql.exec(
      "INSERT INTO state (id, data) VALUES (0, ?) ON CONFLICT (id) DO UPDATE SET data = excluded.data",
      data,
    );
    this.#written = data;
  }
}
