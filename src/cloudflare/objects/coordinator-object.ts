/**
 * CoordinatorObject: the watermarks of one job as a Durable Object: one row of state, rounds in the background and by alarm.
 *
 * What the platform bills for it is counted and stored as in a shard: beside the state, whenever that has changed.
 */
import { DurableObject } from "cloudflare:workers";
import { systemClock } from "../../clock.ts";
import type { Usage } from "../../engine/usage.ts";
import { ONE_READ, ONE_REQUEST, sumOf } from "../../engine/usage.ts";
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
import { Awake } from "./awake.ts";

export interface CoordinatorEnv {
  readonly SHARD: Namespace<ShardRpc>;
}

/** Extend it with the deployment's plan: `export class CoordinatorObject extends coordinatorObject(plan) {}`. */
export function coordinatorObject(plan: Plan) {
  return class<Env extends CoordinatorEnv> extends DurableObject<Env> implements CoordinatorRpc {
    #coordinator: Coordinator | undefined;
    #row: StateRow | undefined;
    readonly #alarm = new Alarm(this.ctx.storage, () => this.#stored.use({ written: 1 }));
    readonly #awake = new Awake(systemClock, (usage) => this.#stored.use(usage));
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
      this.#stored.use(ONE_READ);
      return { ...this.#open().status(), used: this.#stored.used };
    }

    override async alarm(): Promise<void> {
      this.#alarm.goneOff();
      this.#stored.use(ONE_REQUEST);
      const coordinator = this.#open();
      if (coordinator.nextDue() === undefined) return;
      const work = async () => {
        await this.#rounds(coordinator);
        return coordinator.nextDue();
      };
      await this.#awake.during(this.#alarm.serve(work));
    }

    /** Changes the coordinator in one turn, in which the change, and the alarm for what follows, become durable. */
    #do<T>(work: (coordinator: Coordinator) => T): T {
      this.#stored.use(ONE_REQUEST);
      const coordinator = this.#open();
      const result = work(coordinator);
      this.#awake.confirming(this.ctx.storage);
      if (this.#alarm.promise(coordinator.nextDue()) && !this.#running)
        this.ctx.waitUntil(this.#awake.during(this.#runAndArm(coordinator)));
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
        store: this.#stored,
        advance: (call) => advanceShard(this.env.SHARD, call),
        onError: (error, about) => console.error(`${about}: ${messageOf(error)}`),
      });
      return this.#coordinator;
    }

    get #stored(): StateRow {
      this.#row ??= new StateRow(this.ctx.storage.sql);
      return this.#row;
    }

    get #job(): string {
      const job = this.ctx.id.name?.split("/")[1] ?? "";
      if (plan.jobs.some((one) => one.job === job)) return job;
      throw new PlanError(`object ${this.ctx.id.name ?? "without a name"}: no such job`);
    }
  };
}

/** The state as one row, written when it has changed, since rows are billed; beside it, what has been used. */
class StateRow {
  readonly #sql: SqlStorage;
  #written: string | undefined;
  /** What is stored, and what is not. */
  #used: Usage = {};
  #open: Usage = {};

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.#exec("CREATE TABLE IF NOT EXISTS state (id INTEGER PRIMARY KEY, data TEXT NOT NULL)");
  }

  get used(): Readonly<Usage> {
    return this.#used;
  }

  use(usage: Usage): void {
    this.#open = sumOf(this.#open, usage);
  }

  load(): CoordinatorState | undefined {
    const [row] = this.#exec("SELECT data FROM state WHERE id = 0");
    if (row === undefined) return undefined;
    const { used = {}, ...state } = JSON.parse(row.data as string) as Stored;
    this.#used = used;
    this.#written = JSON.stringify(state);
    return state;
  }

  save(state: CoordinatorState): void {
    const data = JSON.stringify(state);
    if (data === this.#written) return;
    // With the row that says so.
    this.#used = sumOf(sumOf(this.#used, this.#open), { written: 1 });
    this.#open = { written: -1 };
    this.#exec(
      "INSERT INTO state (id, data) VALUES (0, ?) ON CONFLICT (id) DO UPDATE SET data = excluded.data",
      JSON.stringify({ ...state, used: this.#used } satisfies Stored),
    );
    this.#written = data;
  }

  #exec(query: string, ...values: string[]): Record<string, SqlStorageValue>[] {
    const cursor = this.#sql.exec(query, ...values);
    const rows = cursor.toArray();
    this.use({ written: cursor.rowsWritten, read: cursor.rowsRead });
    return rows;
  }
}

/** Code of before it was counted leaves `used` away, and reads past it. */
type Stored = CoordinatorState & { readonly used?: Usage };
