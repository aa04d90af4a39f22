/** Progress: a bar on a terminal, an occasional line elsewhere; on standard error, so that output stays clean. */
import cliProgress from "cli-progress";
import type { Totals } from "./requests.ts";

const LINE_EVERY_MS = 5_000;
const BAR_EVERY_MS = 200;

export class Progress {
  readonly #totals: Totals;
  readonly #out: NodeJS.WriteStream;
  readonly #bar: cliProgress.SingleBar | undefined;
  readonly #started = Date.now();
  readonly #timer: NodeJS.Timeout;
  readonly #noticed = new Set<string>();

  /** `size`: bytes of input, or undefined for a pipe, which has no bar. Shows `totals` until `stop`. */
  constructor(totals: Totals, size: number | undefined, out: NodeJS.WriteStream = process.stderr) {
    this.#totals = totals;
    this.#out = out;
    if (out.isTTY && size !== undefined) {
      const format = "{bar} {percentage}% · {text}";
      this.#bar = new cliProgress.SingleBar(
        { format, stream: out, hideCursor: true, barsize: 24, gracefulExit: false },
        cliProgress.Presets.shades_classic,
      );
      this.#bar.start(Math.max(size, 1), 0, { text: this.#text() });
    }
    this.#timer = setInterval(() => this.#show(), this.#bar ? BAR_EVERY_MS : LINE_EVERY_MS);
    this.#timer.unref();
  }

  /** Events that this run saw applied, per second. */
  get rate(): number {
    const { applied, earlier } = this.#totals;
    return (applied - earlier) / Math.max(this.seconds, 0.001);
  }

  /** Since the run began. */
  get seconds(): number {
    return (Date.now() - this.#started) / 1000;
  }

  /** Says why something takes its time, once for each text. */
  notice(text: string): void {
    if (this.#noticed.has(text)) return;
    this.#noticed.add(text);
    // On a terminal the bar is drawn anew below the line.
    if (this.#bar) this.#out.write("\r\u001b[2K");
    this.#out.write(`${text}\n`);
  }

  stop(): void {
    clearInterval(this.#timer);
    if (!this.#bar) return;
    this.#show();
    this.#bar.stop();
  }

  #show(): void {
    if (this.#bar) this.#bar.update(this.#totals.bytes, { text: this.#text() });
    else this.#out.write(`${this.#text()}\n`);
  }

  #text(): string {
    const { applied, waiting, rejected, retries } = this.#totals;
    const parts = [`${count(applied, "event")} applied`, `${count(Math.round(this.rate))}/s`];
    if (waiting > 0) parts.push(`${count(waiting)} accepted`);
    if (rejected > 0) parts.push(`${count(rejected)} rejected`);
    if (retries > 0) parts.push(`${count(retries)} retries`);
    return parts.join(" · ");
  }
}

/** A number with thousands separated, and what is counted. */
export function count(value: number, what?: string): string {
  const number = value.toLocaleString("en-US");
  return what === undefined ? number : `${number} ${what}${value === 1 ? "" : "s"}`;
}
