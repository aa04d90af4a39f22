/**
 * Screen: what the user sees of the events, a line each while they are few, and only their number while they are many.
 */
import { printable } from "../send/failure.ts";

export interface ScreenOptions {
  /** What reads the lines: `ClickReader`. */
  readonly reader: string;
  /** What they are called when there are many: `clicks`. */
  readonly noun: string;
  readonly write: (text: string) => void;
}

export interface Count {
  readonly key: string;
  readonly value: unknown;
}

/** Between two summaries, so many lines are shown each for itself. */
const SHOWN = { taken: 20, rejected: 5 };
export const PERIOD_MS = 500;
/** Longer than the period of the counts, which show the number of lines as well: one line for both. */
const SUMMARY_MS = 1_000;
const NOTICE_EVERY_MS = 5_000;
const MAX_WIDTH = 100;

/** Lines that were shown each for itself, and those that are only counted so far. */
interface Tally {
  shown: number;
  more: number;
}

const formatter = new Intl.NumberFormat("en-US");

export class Screen {
  readonly #options: ScreenOptions;
  /** Lines since the last summary, by who says that it has them. */
  readonly #taken = new Map<string, Tally>();
  readonly #rejected: Tally = { shown: 0, more: 0 };
  #lastError = "";
  #timer: NodeJS.Timeout | undefined;
  readonly #notices = new Map<string, number>();

  constructor(options: ScreenOptions) {
    this.#options = options;
  }

  accepted(lines: readonly string[]): void {
    this.taken(this.#options.reader, lines);
  }

  /** An operator has these lines. */
  taken(operator: string, lines: readonly string[]): void {
    const tally = this.#taken.get(operator) ?? { shown: 0, more: 0 };
    this.#taken.set(operator, tally);
    // A batch is shown in full or as a number, so that what is counted is not also listed.
    const few = tally.more === 0 && lines.length <= SHOWN.taken - tally.shown;
    if (few) for (const line of lines) this.#line(`${operator} --> ${shown(line)}`);
    this.#count(tally, lines.length, few);
  }

  rejected(line: string, error: string): void {
    const few = this.#rejected.shown < SHOWN.rejected;
    this.#lastError = error;
    if (few) this.#line(`${this.#options.reader} refused ${JSON.stringify(shown(line))}: ${shown(error)}`);
    this.#count(this.#rejected, 1, few);
  }

  /** Counts of a view's keys; `more` keys have changed besides. */
  counts(title: string, counts: readonly Count[], more: number): void {
    const rows = counts.map(({ key, value }) => `  ${shown(key)}: ${valueText(value)}`);
    if (more > 0) rows.push(`  … and ${formatter.format(more)} more`);
    this.#line([`${title} -->`, ...rows].join("\n"));
  }

  /** The same notice at most every few seconds. */
  notice(text: string): void {
    const now = Date.now();
    if (now - (this.#notices.get(text) ?? 0) < NOTICE_EVERY_MS) return;
    this.#notices.set(text, now);
    this.#line(`  ! ${shown(text, 300)}`);
  }

  /** Shows what was only counted so far. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { reader, noun } = this.#options;
    for (const [operator, { more }] of this.#taken) {
      if (more > 0) this.#line(`${operator} --> ${formatter.format(more)} ${noun}`);
    }
    this.#taken.clear();
    const { more } = this.#rejected;
    if (more > 0) {
      this.#line(
        `${reader} refused ${formatter.format(more)} more lines, the last one: ${shown(this.#lastError)}`,
      );
    }
    Object.assign(this.#rejected, { shown: 0, more: 0 });
  }

  #count(tally: Tally, lines: number, shownNow: boolean): void {
    tally[shownNow ? "shown" : "more"] += lines;
    this.#timer ??= setTimeout(() => this.flush(), SUMMARY_MS);
  }

  #line(text: string): void {
    this.#options.write(`${text}\n`);
  }
}

function shown(text: string, width = MAX_WIDTH): string {
  return printable(text, width);
}

function valueText(value: unknown): string {
  return typeof value === "string" ? shown(value) : shown(JSON.stringify(value) ?? "");
}
