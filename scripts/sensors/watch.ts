/** Watch: looks at the view of alerts again and again, and notes when each alert could first be read. */
import { setTimeout as sleep } from "node:timers/promises";
import { reasonOf } from "../send/failure.ts";
import type { AlertRow } from "./recount.ts";
import type { Server } from "./server.ts";

/** Between two looks: a delay is measured so much too long at most, plus what a look takes. */
const LOOK_MS = 200;

export interface SeenAlert extends AlertRow {
  /** Epoch milliseconds. */
  readonly seen: number;
}

export class Watch {
  readonly #server: Server;
  readonly #since: number;
  readonly #seen = new Map<string, SeenAlert>();
  #stopped = false;
  #loop: Promise<void> | undefined;
  /** The last look that failed; the next one shows what it would have. */
  problem: string | undefined;

  /** @param since alerts of episodes that began earlier are not of this run. Epoch milliseconds. */
  constructor(server: Server, since: number) {
    this.#server = server;
    this.#since = since;
  }

  start(): void {
    this.#loop = this.#run();
  }

  /** Those seen so far. A sensor's alert that gave way to its next one between two looks is not among them. */
  get alerts(): SeenAlert[] {
    return [...this.#seen.values()];
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#loop;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      await this.#look().catch((thrown: unknown) => {
        this.problem = reasonOf(thrown);
      });
      await sleep(LOOK_MS);
    }
  }

  async #look(): Promise<void> {
    const rows = await this.#server.alerts();
    const seen = Date.now();
    for (const row of rows) {
      const id = `${row.sensor} ${row.since} ${row.kind}`;
      if (row.since >= this.#since && !this.#seen.has(id)) this.#seen.set(id, { ...row, seen });
    }
  }
}
