/** Shared: things that cost a connection, kept once for the whole page while anybody uses them, and a little longer. */

export interface Closable {
  open(): void;
  close(): void;
}

/** Going from one page to another uses most of the same things. */
const LINGER_MS = 4_000;

interface Kept<T> {
  readonly thing: T;
  users: number;
  closing: ReturnType<typeof setTimeout> | undefined;
}

export class Shared<T extends Closable> {
  readonly #kept = new Map<string, Kept<T>>();

  /** The thing of this name, made if it is not there; it is opened by its first user. */
  get(name: string, make: () => T): T {
    const known = this.#kept.get(name);
    if (known !== undefined) return known.thing;
    const kept: Kept<T> = { thing: make(), users: 0, closing: undefined };
    this.#kept.set(name, kept);
    this.#closeLater(name, kept);
    return kept.thing;
  }

  /** @returns what a user calls when it has no use for it any more. */
  use(name: string, make: () => T): () => void {
    const thing = this.get(name, make);
    const kept = this.#kept.get(name);
    if (kept?.thing !== thing) throw new Error(`"${name}" was closed while it was opened`);
    clearTimeout(kept.closing);
    if (kept.users++ === 0) thing.open();
    return () => {
      if (--kept.users === 0) this.#closeLater(name, kept);
    };
  }

  #closeLater(name: string, kept: Kept<T>): void {
    clearTimeout(kept.closing);
    kept.closing = setTimeout(() => {
      if (kept.users > 0) return;
      this.#kept.delete(name);
      kept.thing.close();
    }, LINGER_MS);
  }
}
