/** Viewer: somebody who watches a live view over a WebSocket, and keeps what he is told as the page does. */

export interface Told {
  readonly type: string;
  readonly entries?: readonly Entry[];
  readonly gone?: readonly Pick<Entry, "key" | "window">[];
  readonly [member: string]: unknown;
}

export interface Entry {
  readonly key: string;
  readonly value: unknown;
  readonly window?: { readonly start: string; readonly end: string };
  readonly final?: boolean;
}

export class Viewer {
  readonly told: Told[] = [];
  readonly #entries = new Map<string, Entry>();
  readonly #socket: WebSocket;
  /** Texts that are no JSON: answers to pings. */
  readonly pongs: string[] = [];
  closed = false;
  #wake: (() => void) | undefined;

  constructor(url: URL) {
    this.#socket = new WebSocket(url);
    this.#socket.addEventListener("message", ({ data }) => this.#hear(String(data)));
    this.#socket.addEventListener("close", () => {
      this.closed = true;
      this.#wake?.();
    });
  }

  /** What he knows now, by key (and the window's start). */
  get values(): Readonly<Record<string, unknown>> {
    return Object.fromEntries([...this.#entries].map(([id, { value }]) => [id, value]));
  }

  get entries(): readonly Entry[] {
    return [...this.#entries.values()];
  }

  say(text: string): void {
    this.#socket.send(text);
  }

  leave(): void {
    this.#socket.close();
  }

  /** Waits until it is so. @throws Error when it is not within half a minute. */
  async until(isSo: (viewer: this) => boolean): Promise<void> {
    const deadline = Date.now() + 30_000;
    while (!isSo(this)) {
      const left = deadline - Date.now();
      if (left < 0) throw new Error(`it did not come about; told: ${JSON.stringify(this.told).slice(-500)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  #hear(text: string): void {
    if (text.startsWith("{")) {
      const told = JSON.parse(text) as Told;
      this.told.push(told);
      if (told.type === "snapshot") this.#entries.clear();
      for (const entry of told.entries ?? []) this.#entries.set(idOf(entry), entry);
      for (const entry of told.gone ?? []) this.#entries.delete(idOf(entry));
    } else this.pongs.push(text);
    this.#wake?.();
  }
}

function idOf({ key, window }: Pick<Entry, "key" | "window">): string {
  return window === undefined ? key : `${key}@${window.start}`;
}
