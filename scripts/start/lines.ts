/** Lines: cuts what arrives into lines, in bounded memory, and tells text from garbage. */

/** A longer line is refused, and its bytes are not kept. */
export const MAX_LINE_BYTES = 16_384;

export type Line =
  | { readonly text: string }
  /** Why it is none, and its beginning, to recognize it by. */
  | { readonly error: string; readonly start: string };

const SHOWN_BYTES = 60;
const CONTROL = /[^\P{Cc}\t]/u;

/** Blank lines are passed over: they are somebody pressing Enter. */
export class LineSplitter {
  #kept: Buffer[] = [];
  #bytes = 0;
  readonly #utf8 = new TextDecoder("utf-8", { fatal: true });

  push(chunk: Buffer): Line[] {
    const lines: Line[] = [];
    let start = 0;
    for (let feed = chunk.indexOf(10); feed !== -1; feed = chunk.indexOf(10, start)) {
      this.#keep(chunk.subarray(start, feed));
      this.#cut(lines);
      start = feed + 1;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
    return lines;
  }

  /** The last line, when the input ended without a line feed. */
  end(): Line[] {
    const lines: Line[] = [];
    this.#cut(lines);
    return lines;
  }

  #keep(part: Buffer): void {
    // Once a line is too long, only its beginning is of use.
    const room = Math.max(0, MAX_LINE_BYTES + 1 - this.#bytes);
    // A copy, since a short rest must not hold on to the whole chunk.
    if (room > 0 && part.length > 0) this.#kept.push(Buffer.from(part.subarray(0, room)));
    this.#bytes += part.length;
  }

  #cut(lines: Line[]): void {
    const bytes = Buffer.concat(this.#kept);
    const length = this.#bytes;
    this.#kept = [];
    this.#bytes = 0;
    const line = length > MAX_LINE_BYTES ? tooLong(bytes) : this.#decode(bytes);
    if (line !== undefined) lines.push(line);
  }

  #decode(bytes: Buffer): Line | undefined {
    let text: string;
    try {
      text = this.#utf8.decode(bytes).trim();
    } catch {
      return { error: "not UTF-8 text", start: startOf(bytes) };
    }
    if (text === "") return undefined;
    if (CONTROL.test(text)) return { error: "has control characters", start: startOf(bytes) };
    return { text };
  }
}

function tooLong(bytes: Buffer): Line {
  return { error: `longer than ${MAX_LINE_BYTES} bytes`, start: startOf(bytes) };
}

function startOf(bytes: Buffer): string {
  return `${bytes.toString("latin1", 0, SHOWN_BYTES)}${bytes.length > SHOWN_BYTES ? "…" : ""}`;
}
