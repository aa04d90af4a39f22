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
const SHOWN = { accepted: 20, rejected: 5 };
export const PERIOD_MS = 500;
/** Longer than the period of the counts, which show the number of lines as well: one line for both. */
const SUMMARY_MS = 1_000;
const NOTICE_EVERY_MS = 5_000;
const MAX_WIDTH = 100;

const formatter = new Intl.NumberFormat("en-US");

export class Screen {
  readonly #options: ScreenOptions;
  #shown = { accepted: 0, rejected: 0 };
  #more = { accepted: 0, rejected: 0 };
  #lastError = "";
  #timer: NodeJS.Timeout | undefined;
  readonly #notices = new Map<string, number>();

  constructor(options: ScreenOptions) {
    this.#options = options;
  }

  accepted(lines: readonly string[]): void {
    const room = Math.max(0, SHOWN.accepted - this.#shown.accepted);
    // A batch is shown in full or as a number, so that what is counted is not also listed.
    const few = lines.length <= room && this.#more.accepted === 0;
    if (few) for (const line of lines) this.#line(`${this.#options.reader} --> ${shown(line)}`);
    this.#count("accepted", few ? 0 : lines.length, few ? lines.length : 0);
  }

  rejected(line: string, error: string): void {
    const few = this.#shown.rejected < SHOWN.rejected;
    this.#lastError = error;
    if (few) this.#line(`${this.#options.reader} refused ${JSON.stringify(shown(line))}: ${shown(error)}`);
    this.#count("rejected", few ? 0 : 1, few ? 1 : 0);
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
    const { accepted, rejected } = this.#more;
    const { reader, noun } = this.#options;
    this.#more = { accepted: 0, rejected: 0 };
    this.#shown = { accepted: 0, rejected: 0 };
    if (accepted > 0) this.#line(`${reader} --> ${formatter.format(accepted)} ${noun}`);
    if (rejected > 0) {
      this.#line(
        `${reader} refused ${formatter.format(rejected)} more lines, the last one: ${shown(this.#lastError)}`,
      );
    }
  }

  #count(kind: "accepted" | "rejected", more: number, shownNow: number): void {
    this.#more[kind] += more;
    this.#shown[kind] += shownNow;
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
