/** Report: how far the simulation has come, what failed, and how many of the seeds met each fault. */
import type { BatchResult } from "./runner.ts";

const EVERY_MS = 5_000;

export class Report {
  readonly #write: (text: string) => unknown;
  readonly #all: number;
  readonly #begun = Date.now();
  readonly #worlds = new Map<string, { seeds: number; failed: number; struck: Map<string, number> }>();
  #done = 0;
  #failed = 0;
  #told = Date.now();

  constructor(all: number, write: (text: string) => unknown) {
    this.#all = all;
    this.#write = write;
  }

  /** Takes what some seeds came to; a failure is told at once. */
  add({ world, seeds, struck, failures }: BatchResult): void {
    let known = this.#worlds.get(world);
    if (known === undefined) {
      known = { seeds: 0, failed: 0, struck: new Map() };
      this.#worlds.set(world, known);
    }
    known.seeds += seeds;
    known.failed += failures.length;
    for (const [kind, count] of Object.entries(struck))
      known.struck.set(kind, (known.struck.get(kind) ?? 0) + count);
    for (const { seed, reason } of failures) {
      this.#write(
        `\nFAILED ${reason}\nReplay: npm run simulate -- --seeds 1 --from ${seed} --world ${world}\n\n`,
      );
    }
    this.#done += seeds;
    this.#failed += failures.length;
    if (Date.now() - this.#told < EVERY_MS) return;
    this.#told = Date.now();
    this.#write(`${this.#done} of ${this.#all} seeds, ${this.#rate()}\n`);
  }

  /** Tells the sum. @returns the exit code. */
  end(): number {
    for (const [world, { seeds, failed, struck }] of this.#worlds) {
      this.#write(`\n${world}: ${seeds} seeds, ${failed} failed. Seeds in which it happened:\n`);
      const width = Math.max(...[...struck.keys()].map((kind) => kind.length));
      const whole = Math.max(1, seeds - failed);
      for (const [kind, count] of struck) {
        const share = `${((count / whole) * 100).toFixed(0)} %`;
        this.#write(`  ${kind.padEnd(width)}  ${String(count).padStart(7)}  ${share.padStart(5)}\n`);
      }
    }
    const verdict = this.#failed === 0 ? "all agree with the recount" : `${this.#failed} FAILED`;
    this.#write(`\n${this.#done} seeds, ${this.#rate()}: ${verdict}\n`);
    return this.#failed === 0 ? 0 : 1;
  }

  #rate(): string {
    const seconds = (Date.now() - this.#begun) / 1_000;
    return `${seconds.toFixed(0)} s, ${(this.#done / seconds).toFixed(1)} seeds/s`;
  }
}
