/** Recall: the lines that were typed, found again with the arrow keys, as in a shell. */

const MOST = 200;

export class Recall {
  readonly #lines: string[] = [];
  /** How many lines back; 0 is what is being typed. */
  #back = 0;
  #draft = "";

  add(line: string): void {
    if (this.#lines.at(-1) !== line) this.#lines.push(line);
    if (this.#lines.length > MOST) this.#lines.shift();
    this.#back = 0;
  }

  /** The line before the one that is shown. @param shown what stands in the prompt. */
  earlier(shown: string): string {
    if (this.#back === 0) this.#draft = shown;
    this.#back = Math.min(this.#back + 1, this.#lines.length);
    return this.#shown();
  }

  /** The line after it; at the end what was being typed. */
  later(shown: string): string {
    if (this.#back === 0) return shown;
    this.#back--;
    return this.#shown();
  }

  #shown(): string {
    return this.#back === 0 ? this.#draft : (this.#lines[this.#lines.length - this.#back] ?? this.#draft);
  }
}
