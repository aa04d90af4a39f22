/** Session: a running server with its inputs and its screen, from the first line to the last count. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Runtime } from "../local/runtime.ts";
import { Board } from "./board.ts";
import { Feeder } from "./feeder.ts";
import { Inputs, type LineTaker } from "./inputs.ts";
import { type Lineage, recordOf, type ViewKey } from "./lineage.ts";
import type { Line } from "./lines.ts";
import { Screen } from "./screen.ts";

/** How long a stop waits for what was accepted, and how often it says so. */
const STOP_LIMIT_MS = 30_000;
const STOP_NEWS_MS = 3_000;

export class Session implements LineTaker {
  readonly inputs: Inputs;
  readonly #runtime: Runtime;
  readonly #lineage: Lineage;
  readonly #screen: Screen;
  readonly #board: Board;
  readonly #feeder: Feeder;
  readonly #write: (text: string) => void;

  constructor(runtime: Runtime, lineage: Lineage, write: (text: string) => void) {
    this.#runtime = runtime;
    this.#lineage = lineage;
    this.#write = write;
    const screen = new Screen({ reader: lineage.reader, noun: lineage.source.name, write });
    this.#screen = screen;
    this.#board = new Board({
      read: (at) => this.#read(at),
      show: (view, counts, more) => {
        // Lines that are only counted so far come before the counts they led to.
        screen.flush();
        screen.counts(lineage.title(view), counts, more);
      },
    });
    this.#feeder = new Feeder({
      server: runtime.url.origin,
      source: lineage.source.name,
      onAccepted: (lines) => screen.accepted(lines),
      onRejected: (line, error) => screen.rejected(line, error),
      onApplied: (lines) => this.#applied(lines),
      onNotice: (text) => screen.notice(text),
      onRelief: () => this.inputs.resume(),
    });
    this.inputs = new Inputs(this);
  }

  get isFull(): boolean {
    return this.#feeder.isFull;
  }

  take(line: Line): void {
    if ("text" in line) this.#feeder.add(line.text);
    else this.#screen.rejected(line.start, line.error);
  }

  /**
   * Takes nothing new, and waits until everything accepted is applied and shown.
   *
   * @returns what is left after half a minute, in words; undefined when nothing is.
   */
  async stop(): Promise<string | undefined> {
    const ending = AbortSignal.timeout(STOP_LIMIT_MS);
    const news = setInterval(() => this.#write("Still counting what was accepted …\n"), STOP_NEWS_MS);
    try {
      await this.inputs.stop();
      const settled = await Promise.race([
        this.#feeder.settle().then(() => true),
        sleep(STOP_LIMIT_MS, false, { ref: false }),
      ]);
      const left = await this.#runtime.drain({ signal: ending }).catch(() => undefined);
      this.#feeder.abort();
      await this.#board.settle();
      this.#screen.flush();
      if (left === undefined)
        return "the Workers do not answer, so what was accepted last may not be applied";
      if (settled && left.messages + left.requests === 0) return undefined;
      return `${left.messages} messages of the queue and ${this.#feeder.unsettled} requests of lines were not applied`;
    } finally {
      clearInterval(news);
    }
  }

  #applied(lines: readonly string[]): void {
    for (const line of lines) {
      for (const at of this.#lineage.keysOf(recordOf(line))) this.#board.changed(at);
    }
  }

  /** Never throws: a count that cannot be read is not shown. */
  async #read({ view, key }: ViewKey): Promise<unknown> {
    try {
      const response = await this.#runtime.fetch(
        `/v1/views/${encodeURIComponent(view)}?key=${encodeURIComponent(key)}`,
      );
      if (!response.ok) {
        await response.body?.cancel();
        return undefined;
      }
      return ((await response.json()) as { value?: unknown }).value;
    } catch {
      return undefined;
    }
  }
}
