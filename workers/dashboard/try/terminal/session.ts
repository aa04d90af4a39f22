/** Session: the lines of this visit; they go on while another page is looked at. */
import type { ReadonlySignal, Signal } from "@preact/signals";
import { signal } from "@preact/signals";
import type { OpenSource } from "../sources.ts";
import type { Ports } from "./follow.ts";
import { follow } from "./follow.ts";
import type { Line, LineState } from "./line.ts";
import { isSettled } from "./line.ts";
import { Recall } from "./recall.ts";

const MOST_LINES = 200;

export class Session {
  readonly recall = new Recall();
  readonly #ports: Ports;
  readonly #lines: Signal<readonly Line[]> = signal([]);
  /** Lines are sent in the order in which they were typed: the next one when the one before is answered. */
  #turn: Promise<void> = Promise.resolve();

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  get lines(): ReadonlySignal<readonly Line[]> {
    return this.#lines;
  }

  send(texts: readonly string[], source: OpenSource): void {
    const lines = texts.map((text): Line => {
      const id = crypto.randomUUID();
      return { id, text, source: source.name, at: this.#ports.now(), state: { step: "waiting" } };
    });
    const all = [...this.#lines.value, ...lines];
    // The oldest that are over go; the others are still being followed.
    const over = all.slice(0, Math.max(0, all.length - MOST_LINES)).filter(isSettled);
    this.#lines.value = all.filter((line) => !over.includes(line));
    for (const line of lines) {
      this.recall.add(line.text);
      this.#follow(line, source);
    }
  }

  /** The same line under the same identity: it counts once, also if it had arrived. */
  again(id: string, source: OpenSource): void {
    const line = this.#lines.value.find((one) => one.id === id);
    if (line !== undefined && isSettled(line)) this.#follow(line, source);
  }

  clear(): void {
    this.#lines.value = this.#lines.value.filter((line) => !isSettled(line));
  }

  #follow(line: Line, source: OpenSource): void {
    const show = (state: LineState) => {
      this.#lines.value = this.#lines.value.map((one) => (one.id === line.id ? { ...one, state } : one));
    };
    show({ step: "waiting" });
    const before = this.#turn;
    this.#turn = new Promise((resolve) => {
      void before.then(() => follow(line, source, this.#ports, show, resolve));
    });
  }
}
