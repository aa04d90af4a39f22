/** Session: a running server with its inputs and its screen, from the first line to the last count. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Remainder } from "../local/drain.ts";
import type { Runtime } from "../local/runtime.ts";
import { Board } from "./board.ts";
import { Feeder } from "./feeder.ts";
import { Inputs, type LineTaker } from "./inputs.ts";
import { type Lineage, recordOf, type ViewKey } from "./lineage.ts";
import type { Line } from "./lines.ts";
import { Patience } from "./patience.ts";
import { Screen } from "./screen.ts";

/** How long a stop waits while none of what was accepted is applied, how often it looks, and how often it says so. */
const STOP_LIMIT_MS = 30_000;
const STOP_LOOK_MS = 200;
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
   * @returns what is left when nothing has been applied for half a minute, in words; undefined when nothing is.
   */
  async stop(): Promise<string | undefined> {
    const patience = new Patience(STOP_LIMIT_MS);
    let messages = 0;
    const news = setInterval(() => this.#write(newsOf(messages)), STOP_NEWS_MS);
    try {
      await this.inputs.stop();
      const settled = await this.#settle(patience);
      patience.renew();
      const onProgress = (left: Remainder) => {
        messages = left.messages;
        patience.see(messages);
      };
      const left = await this.#runtime.drain({ signal: patience.signal, onProgress }).catch(() => undefined);
      this.#feeder.abort();
      await this.#board.settle();
      this.#screen.flush();
      if (left === undefined)
        return "the Workers do not answer, so what was accepted last may not be applied";
      // What is in outboxes is not lost: the next run goes on with it.
      if (settled && left.messages + left.requests === 0) return undefined;
      return `${left.messages} messages of the queues and ${this.#feeder.unsettled} requests of lines were not applied`;
    } finally {
      clearInterval(news);
      patience.end();
    }
  }

  /** Waits for the lines. @returns whether all of them are applied. */
  async #settle(patience: Patience): Promise<boolean> {
    const settled = this.#feeder.settle().then(() => true);
    while (!patience.signal.aborted) {
      patience.see(this.#feeder.unsettled);
      if (await Promise.race([settled, sleep(STOP_LOOK_MS, false)])) return true;
    }
    return false;
  }

  /** Shows the counts of the keys that lines lead to, and which stage or sink is done with them. */
  #applied(lines: readonly string[]): void {
    const taken = new Map<string, string[]>();
    for (const line of lines) {
      const { views, others } = this.#lineage.reachOf(recordOf(line));
      for (const at of views) this.#board.changed(at);
      for (const operator of new Set(others)) {
        const its = taken.get(operator) ?? [];
        taken.set(operator, its);
        its.push(line);
      }
    }
    for (const [operator, its] of taken) this.#screen.taken(operator, its);
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

function newsOf(messages: number): string {
  const left = messages === 0 ? "" : `: ${messages} ${messages === 1 ? "message" : "messages"} to go`;
  return `Still counting what was accepted${left} …\n`;
}
